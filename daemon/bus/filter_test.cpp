// SPDX-License-Identifier: Apache-2.0
#include "bus/filter.hpp"

#include <gmock/gmock.h>

#include <array>

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::Pair;
using testing::SizeIs;

namespace egb::bus {
namespace {

template <typename T>
sdbus::Variant value(const T& held) {
    return sdbus::Variant{held};
}

sdbus::Variant text(const char* held) {
    return value(std::string{held});
}

TEST(GhostFilterOfDictionary, ReadsEveryKey) {
    const auto filter = ghost_filter({{"kind", text("tcp")},
                                      {"grade", text("proven")},
                                      {"pid", value(std::int32_t{12})},
                                      {"uid", value(std::uint32_t{1000})},
                                      {"unit", text("a.service")},
                                      {"container", text("c0ffee")},
                                      {"comm", text("java")},
                                      {"min_age", value(std::uint64_t{1'500'000})},
                                      {"members", value(true)},
                                      {"group", value(std::uint64_t{7})}});
    ASSERT_TRUE(filter) << filter.error().message;
    EXPECT_EQ(filter->kind, "tcp");
    EXPECT_EQ(filter->grade, Grade::proven);
    EXPECT_EQ(filter->pid, 12);
    EXPECT_EQ(filter->uid, 1000U);
    EXPECT_EQ(filter->unit, "a.service");
    EXPECT_EQ(filter->container, "c0ffee");
    EXPECT_EQ(filter->comm, "java");
    EXPECT_EQ(filter->min_age, 1500ms);
    EXPECT_TRUE(filter->members);
    EXPECT_EQ(filter->group, 7U);
}

TEST(GhostFilterOfDictionary, OfNothingSelectsEverything) {
    const auto filter = ghost_filter({});
    ASSERT_TRUE(filter);
    EXPECT_THAT(filter->kind, IsEmpty());
    EXPECT_FALSE(filter->members);
    EXPECT_EQ(filter->group, 0U);
    EXPECT_FALSE(filter->grade);
    EXPECT_FALSE(filter->pid);
}

TEST(GhostFilterOfDictionary, NamesTheUnknownKeyAndTheKnownOnes) {
    const auto filter = ghost_filter({{"knd", text("tcp")}});
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().code, ErrorCode::invalid);
    EXPECT_THAT(filter.error().message, AllOf(HasSubstr("\"knd\""), HasSubstr("kind"), HasSubstr("min_age")));
}

TEST(GhostFilterOfDictionary, RepeatsNoMoreThanALineOfWhatIsWrong) {
    const std::string page(10'000, 'x');
    EXPECT_THAT(ghost_filter({{page, text("tcp")}}).error().message,
                AllOf(HasSubstr("xxx..."), SizeIs(Lt(300U))));
    EXPECT_THAT(ghost_filter({{"grade", value(page)}}).error().message,
                AllOf(HasSubstr("xxx..."), SizeIs(Lt(300U))));
    EXPECT_THAT(history_filter({{"type", value(page)}}).error().message, SizeIs(Lt(300U)));
    EXPECT_THAT(history_filter({{"verdict", value(page)}}).error().message, SizeIs(Lt(300U)));
}

TEST(GhostFilterOfDictionary, NamesTheTypeThatIsWrongAndTheRightOne) {
    const auto filter = ghost_filter({{"pid", text("12")}});
    ASSERT_FALSE(filter);
    EXPECT_THAT(filter.error().message, AllOf(HasSubstr("\"pid\""), HasSubstr("type i"), HasSubstr("not s")));
}

TEST(GhostFilterOfDictionary, RefusesAGradeThatIsNone) {
    const auto filter = ghost_filter({{"grade", text("maybe")}});
    ASSERT_FALSE(filter);
    EXPECT_THAT(filter.error().message, AllOf(HasSubstr("\"grade\""), HasSubstr("maybe")));
}

TEST(HistoryFilterOfDictionary, ReadsEveryKey) {
    const auto filter = history_filter({{"kind", text("ipc")},
                                        {"type", text("acted")},
                                        {"verdict", text("refused")},
                                        {"ghost", value(std::uint64_t{7})},
                                        {"since", value(std::uint64_t{5})},
                                        {"until", value(UINT64_MAX)}});
    ASSERT_TRUE(filter) << filter.error().message;
    EXPECT_EQ(filter->kind, "ipc");
    EXPECT_EQ(filter->type, "acted");
    EXPECT_EQ(filter->verdict, "refused");
    EXPECT_EQ(filter->ghost, 7U);
    EXPECT_EQ(filter->since, WallTime{5us});
    EXPECT_EQ(filter->until, WallTime::max());
}

TEST(HistoryFilterOfDictionary, RefusesWordsThatMeanNothing) {
    EXPECT_THAT(history_filter({{"type", text("came")}}).error().message, HasSubstr("came"));
    EXPECT_THAT(history_filter({{"verdict", text("killed")}}).error().message, HasSubstr("cleaned"));
}

TEST(LeastGrade, IsProvenUnlessAskedForMore) {
    EXPECT_EQ(least_grade({}), Grade::proven);
    EXPECT_EQ(least_grade({{"suspected", value(false)}}), Grade::proven);
    EXPECT_EQ(least_grade({{"suspected", value(true)}}), Grade::suspected);
    EXPECT_FALSE(least_grade({{"suspected", text("yes")}}));
    EXPECT_FALSE(least_grade({{"force", value(true)}}));
}

class PolicyOptionsTest : public testing::Test {
protected:
    static constexpr std::array<std::string_view, 2> choices{"never", "proven"};
    static constexpr std::array<OptionSpec, 5> table{{
        {.name = "Enabled", .type = OptionType::flag, .preset = "yes", .help = ""},
        {.name = "Veto", .type = OptionType::span, .preset = "5s", .help = "", .choices = {}, .least = 1},
        {.name = "Most", .type = OptionType::count, .preset = "5", .help = "", .choices = {}, .most = 10},
        {.name = "Clean", .type = OptionType::choice, .preset = "never", .help = "", .choices = choices},
        {.name = "Spare", .type = OptionType::list, .preset = "", .help = ""},
    }};
};

TEST_F(PolicyOptionsTest, WritesValuesAsTheFileHasThem) {
    const auto options = policy_options({{"Enabled", value(false)},
                                         {"Veto", value(std::uint64_t{90'000'000})},
                                         {"Most", value(std::uint64_t{7})},
                                         {"Clean", text("proven")},
                                         {"Spare", value(std::vector<std::string>{"a b", "c"})}},
                                        table);
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_THAT(*options, ElementsAre(Pair("Clean", "proven"), Pair("Enabled", "no"), Pair("Most", "7"),
                                      Pair("Spare", "\"a b\" c"), Pair("Veto", "1min 30s")));
}

TEST_F(PolicyOptionsTest, KeepsTheLimitsOfTheTable) {
    EXPECT_FALSE(policy_options({{"Most", value(std::uint64_t{11})}}, table));
    EXPECT_FALSE(policy_options({{"Veto", value(std::uint64_t{10})}}, table));
    EXPECT_FALSE(policy_options({{"Clean", text("always")}}, table));
}

TEST_F(PolicyOptionsTest, RefusesAValueOfAnotherType) {
    EXPECT_THAT(policy_options({{"Most", value(true)}}, table).error().message, HasSubstr("\"Most\""));
    EXPECT_FALSE(policy_options({{"Enabled", value(std::uint64_t{1})}}, table));
    EXPECT_FALSE(policy_options({{"Clean", value(std::vector<std::string>{"never"})}}, table));
    EXPECT_FALSE(policy_options({{"Veto", value(1.5)}}, table));
}

TEST_F(PolicyOptionsTest, RepeatsNoMoreThanALineOfAnUnknownOption) {
    EXPECT_THAT(policy_options({{std::string(10'000, 'x'), text("5s")}}, table).error().message,
                SizeIs(Lt(300U)));
}

TEST_F(PolicyOptionsTest, NamesTheOptionsThereAre) {
    EXPECT_THAT(policy_options({{"Vet", text("5s")}}, table).error().message,
                AllOf(HasSubstr("\"Vet\""), HasSubstr("Enabled, Veto, Most, Clean, Spare")));
}

TEST(TraceFilterOfDictionary, ReadsEveryKey) {
    const auto filter = trace_filter({{"events", value(std::vector<std::string>{"exit", "fork"})},
                                      {"min_duration", value(std::uint64_t{1'500'000})},
                                      {"uid", value(std::uint32_t{1000})},
                                      {"comm", text("java")},
                                      {"unit", text("a.service")},
                                      {"cgroup", text("/a")},
                                      {"pid", value(std::int32_t{12})},
                                      {"failed", value(true)},
                                      {"cwd", value(true)}});
    ASSERT_TRUE(filter) << filter.error().message;
    const trace::Filter expected{.exec = false,
                                 .fork = true,
                                 .exit = true,
                                 .min_duration = 1500ms,
                                 .uid = 1000,
                                 .comm = "java",
                                 .unit = "a.service",
                                 .cgroup = "/a",
                                 .pid = 12,
                                 .failed = true,
                                 .cwd = true};
    EXPECT_EQ(*filter, expected);
}

TEST(TraceFilterOfDictionary, RefusesWhatNothingCouldPass) {
    EXPECT_TRUE(trace_filter({}));
    EXPECT_FALSE(trace_filter({{"comn", text("java")}}));
    EXPECT_FALSE(trace_filter({{"uid", text("root")}}));
    EXPECT_FALSE(trace_filter({{"events", value(std::vector<std::string>{})}}));
    EXPECT_FALSE(trace_filter({{"pid", value(std::int32_t{0})}}));
    EXPECT_FALSE(trace_filter({{"comm", text("a name of more than fifteen bytes")}}));
}

} // namespace
} // namespace egb::bus
