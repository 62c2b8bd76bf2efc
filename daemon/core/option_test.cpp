// SPDX-License-Identifier: Apache-2.0
#include "core/option.hpp"

#include <gmock/gmock.h>

#include <array>
#include <ostream>
#include <stdexcept>

namespace egb {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

constexpr std::array<std::string_view, 2> depths{"shallow", "deep"};

Result<> check_even(std::string_view word) {
    return word.size() % 2 == 0 ? Result<>{} : fail(ErrorCode::invalid, "{} is of an odd length", word);
}

constexpr auto table = std::to_array<OptionSpec>({
    {.name = "Enabled", .type = OptionType::flag, .preset = "yes", .help = ""},
    {.name = "Veto", .type = OptionType::span, .preset = "10s", .help = "", .least = 1, .most = 60},
    {.name = "Grace", .type = OptionType::span, .preset = "1h", .help = ""},
    {.name = "Most", .type = OptionType::count, .preset = "5", .help = "", .least = 1, .most = 100},
    {.name = "Word", .type = OptionType::text, .preset = "hello", .help = ""},
    {.name = "Names", .type = OptionType::list, .preset = "*.lock 'a b'", .help = ""},
    {.name = "Even", .type = OptionType::list, .preset = "ab", .help = "", .check = check_even},
    {.name = "Depth", .type = OptionType::choice, .preset = "shallow", .help = "", .choices = depths},
});

constexpr auto lists = std::to_array<ListSpec>({
    {.name = "even", .text = "# as this build has them\nab\ncd\n", .check = check_even},
});

const OptionSpec& spec(std::string_view name) {
    return *std::ranges::find(table, name, &OptionSpec::name);
}

struct Read {
    std::string_view name;
    std::string_view text;
    OptionValue value;
};

void PrintTo(const Read& read, std::ostream* out) {
    *out << read.name << '=' << read.text;
}

class Readable : public testing::TestWithParam<Read> {};

TEST_P(Readable, is_read_and_survives_being_written) {
    const auto& [name, text, expected] = GetParam();
    const auto value = parse_option(spec(name), text);
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(*value, expected);
    EXPECT_EQ(parse_option(spec(name), to_text(*value)), value);
}

INSTANTIATE_TEST_SUITE_P(flags, Readable,
                         testing::Values(Read{"Enabled", "yes", true}, Read{"Enabled", "1", true},
                                         Read{"Enabled", "On", true}, Read{"Enabled", "TRUE", true},
                                         Read{"Enabled", "t", true}, Read{"Enabled", "y", true},
                                         Read{"Enabled", "no", false}, Read{"Enabled", "0", false},
                                         Read{"Enabled", "off", false}, Read{"Enabled", "False", false},
                                         Read{"Enabled", "f", false}, Read{"Enabled", "n", false}));
INSTANTIATE_TEST_SUITE_P(spans, Readable,
                         testing::Values(Read{"Veto", "1s", Span{1s}}, Read{"Veto", "1min", Span{60s}},
                                         Read{"Grace", "0", Span{0s}},
                                         Read{"Grace", "1h 2min 3s 4ms", 3723004ms},
                                         Read{"Grace", "infinity", forever}));
INSTANTIATE_TEST_SUITE_P(counts, Readable,
                         testing::Values(Read{"Most", "1", std::uint64_t{1}},
                                         Read{"Most", "100", std::uint64_t{100}}));
INSTANTIATE_TEST_SUITE_P(texts, Readable,
                         testing::Values(Read{"Word", "", std::string{}},
                                         Read{"Word", "two words", std::string{"two words"}},
                                         Read{"Depth", "deep", std::string{"deep"}}));
INSTANTIATE_TEST_SUITE_P(
    lists, Readable,
    testing::Values(Read{"Names", "", Words{}}, Read{"Names", "  a\tb  ", Words{"a", "b"}},
                    Read{"Names", R"("a b" 'c "d"' e"f g"h)", Words{"a b", "c \"d\"", "ef gh"}},
                    Read{"Names", R"("a\"b\\" '')", Words{"a\"b\\", ""}},
                    Read{"Names", R"(a\*b)", Words{R"(a\*b)"}}, Read{"Even", "", Words{}},
                    Read{"Even", "'a  b' cd", Words{"a  b", "cd"}}));

struct Unreadable {
    std::string_view name;
    std::string_view text;
    std::string_view expected;
};

void PrintTo(const Unreadable& unreadable, std::ostream* out) {
    *out << unreadable.name << '=' << unreadable.text;
}

class Refused : public testing::TestWithParam<Unreadable> {};

TEST_P(Refused, says_what_was_expected) {
    const auto& [name, text, expected] = GetParam();
    const auto value = parse_option(spec(name), text);
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, ErrorCode::invalid);
    EXPECT_THAT(value.error().message, testing::StartsWith(name));
    EXPECT_THAT(value.error().message, testing::HasSubstr(expected));
}

INSTANTIATE_TEST_SUITE_P(
    texts, Refused,
    testing::Values(Unreadable{"Enabled", "maybe", "yes or no"}, Unreadable{"Enabled", "", "yes or no"},
                    Unreadable{"Veto", "soon", "time span"}, Unreadable{"Veto", "999ms", "the least is 1s"},
                    Unreadable{"Veto", "61s", "the most is 1min"},
                    Unreadable{"Veto", "infinity", "the most is 1min"},
                    Unreadable{"Most", "", "whole number"}, Unreadable{"Most", "-1", "whole number"},
                    Unreadable{"Most", "5x", "whole number"}, Unreadable{"Most", "0", "the least is 1"},
                    Unreadable{"Most", "101", "the most is 100"},
                    Unreadable{"Most", "99999999999999999999", "the most is 100"},
                    Unreadable{"Names", "\"a", "quote"}, Unreadable{"Names", "'", "quote"},
                    Unreadable{"Even", "ab abc a", "Even: abc is of an odd length"},
                    Unreadable{"Depth", "middling", "shallow, deep"}));

TEST(OptionValues, begin_at_the_presets) {
    const OptionValues values{table};
    EXPECT_TRUE(values.flag("Enabled"));
    EXPECT_EQ(values.span("Veto"), 10s);
    EXPECT_EQ(values.count("Most"), 5);
    EXPECT_EQ(values.text("Word"), "hello");
    EXPECT_EQ(values.text("Depth"), "shallow");
    EXPECT_THAT(values.list("Names"), testing::ElementsAre("*.lock", "a b"));
}

TEST(OptionValues, keep_the_old_value_when_the_new_one_is_wrong) {
    OptionValues values{table};
    ASSERT_TRUE(values.set("Most", "7"));
    EXPECT_FALSE(values.set("Most", "many"));
    EXPECT_EQ(values.count("Most"), 7);
}

TEST(OptionValues, are_equal_when_every_value_is) {
    OptionValues left{table};
    OptionValues right{table};
    ASSERT_TRUE(left.set("Veto", "20s"));
    EXPECT_NE(left, right);
    ASSERT_TRUE(right.set("Veto", "20"));
    EXPECT_EQ(left, right);
}

TEST(OptionValues, take_an_unknown_name_for_a_mistake_of_ours) {
    OptionValues values{table};
    EXPECT_THROW(std::ignore = values.set("Vetoo", "1s"), std::out_of_range);
    EXPECT_THROW(std::ignore = values.span("Vetoo"), std::out_of_range);
}

TEST(OptionValues, take_a_preset_that_cannot_be_read_for_a_mistake_of_ours) {
    constexpr auto broken =
        std::to_array<OptionSpec>({{.name = "Broken", .type = OptionType::count, .preset = "x", .help = ""}});
    EXPECT_THROW(OptionValues{broken}, std::logic_error);
    constexpr auto odd = std::to_array<OptionSpec>(
        {{.name = "Odd", .type = OptionType::list, .preset = "abc", .help = "", .check = check_even}});
    EXPECT_THROW(OptionValues{odd}, std::logic_error);
}

TEST(OptionValuesTest, has_lists_that_only_grow) {
    OptionValues values{table, lists};
    const OptionValues before = values;
    values.add_words("even", {"ab", "efgh"});
    EXPECT_THAT(values.words("even"), testing::ElementsAre("ab", "cd", "efgh"));
    EXPECT_FALSE(values == before);
    EXPECT_THROW(values.add_words("odd", {}), std::out_of_range);
}

TEST(OptionValuesTest, a_wrong_line_that_is_compiled_in_is_a_mistake_of_ours) {
    constexpr std::array wrong{ListSpec{.name = "even", .text = "abc", .check = check_even}};
    EXPECT_THROW((OptionValues{table, wrong}), std::logic_error);
}

} // namespace
} // namespace egb
