// SPDX-License-Identifier: Apache-2.0
#include "core/time_span.hpp"

#include <gmock/gmock.h>

#include <ostream>

namespace egb {
namespace {

using namespace std::chrono_literals;

struct SpanCase {
    std::string_view text;
    Span span;
};

void PrintTo(const SpanCase& span, std::ostream* out) {
    *out << '"' << span.text << '"';
}

class ParseSpan : public testing::TestWithParam<SpanCase> {};

TEST_P(ParseSpan, reads_what_systemd_reads) {
    const auto span = parse_span(GetParam().text);
    ASSERT_TRUE(span) << span.error().message;
    EXPECT_EQ(*span, GetParam().span);
}

INSTANTIATE_TEST_SUITE_P(
    units, ParseSpan,
    testing::Values(SpanCase{"0", 0s}, SpanCase{"90", 90s}, SpanCase{"5ns", 5ns}, SpanCase{"5nsec", 5ns},
                    SpanCase{"5us", 5us}, SpanCase{"5usec", 5us}, SpanCase{"5\u00b5s", 5us},
                    SpanCase{"5\u03bcs", 5us}, SpanCase{"500ms", 500ms}, SpanCase{"500msec", 500ms},
                    SpanCase{"7s", 7s}, SpanCase{"7sec", 7s}, SpanCase{"7second", 7s},
                    SpanCase{"7seconds", 7s}, SpanCase{"3m", 3min}, SpanCase{"3min", 3min},
                    SpanCase{"3minute", 3min}, SpanCase{"3minutes", 3min}, SpanCase{"2h", 2h},
                    SpanCase{"2hr", 2h}, SpanCase{"2hour", 2h}, SpanCase{"2hours", 2h}, SpanCase{"1d", 24h},
                    SpanCase{"1day", 24h}, SpanCase{"2days", 48h}, SpanCase{"1w", 168h},
                    SpanCase{"1week", 168h}, SpanCase{"2weeks", 336h}, SpanCase{"1M", 2629800s},
                    SpanCase{"1month", 2629800s}, SpanCase{"2months", 5259600s}, SpanCase{"1y", 31557600s},
                    SpanCase{"1year", 31557600s}, SpanCase{"2years", 63115200s},
                    SpanCase{"infinity", forever}));

INSTANTIATE_TEST_SUITE_P(forms, ParseSpan,
                         testing::Values(SpanCase{"1min 30s", 90s}, SpanCase{"1min30s", 90s},
                                         SpanCase{"1 min 30", 90s}, SpanCase{"  2h\t5min ", 125min},
                                         SpanCase{"1.5s", 1500ms}, SpanCase{".5h", 30min},
                                         SpanCase{"0.000000001", 1ns}, SpanCase{" infinity ", forever}));

class NotASpan : public testing::TestWithParam<std::string_view> {};

TEST_P(NotASpan, is_refused_and_named) {
    const auto span = parse_span(GetParam());
    ASSERT_FALSE(span);
    EXPECT_EQ(span.error().code, ErrorCode::invalid);
    EXPECT_THAT(span.error().message, testing::HasSubstr(std::string{'"'}.append(GetParam()).append("\"")));
}

INSTANTIATE_TEST_SUITE_P(texts, NotASpan,
                         testing::Values("", " ", "s", "abc", "-5s", "+5s", "5 parsecs", "1min -30s", "5S",
                                         "1,5s", ".", ".s", "1..5s", "1.5.5s", "2.s", "2. 5s", "infinity 5s",
                                         "infinit", "300y", "9223372036854775808ns", "200y 200y",
                                         "99999999999999999999"));

TEST(ParseSpan, counts_up_to_its_last_nanosecond) {
    EXPECT_EQ(parse_span("9223372036854775807ns"), forever);
    EXPECT_FALSE(parse_span("9223372036854775807ns 1ns"));
}

struct Shown {
    Span span;
    std::string_view brief;
    std::string_view exact;
};

class FormatSpan : public testing::TestWithParam<Shown> {};

TEST_P(FormatSpan, is_brief_for_people_and_exact_for_files) {
    const auto& [span, brief, exact] = GetParam();
    EXPECT_EQ(format_span(span), brief);
    EXPECT_EQ(exact_span(span), exact);
    EXPECT_EQ(parse_span(exact), span);
}

INSTANTIATE_TEST_SUITE_P(
    spans, FormatSpan,
    testing::Values(Shown{0s, "0s", "0s"}, Shown{1ns, "1ns", "1ns"}, Shown{90s, "1min 30s", "1min 30s"},
                    Shown{1h, "1h", "1h"}, Shown{1h + 5s, "1h", "1h 5s"},
                    Shown{1h + 59min + 59s, "1h 59min", "1h 59min 59s"}, Shown{30 * 24h, "30d", "30d"},
                    Shown{76h + 1ms, "3d 4h", "3d 4h 1ms"}, Shown{1500ms, "1s 500ms", "1s 500ms"},
                    Shown{2us + 7ns, "2us 7ns", "2us 7ns"}, Shown{forever, "infinity", "infinity"}));

TEST(FormatSpan, has_no_words_for_less_than_nothing) {
    EXPECT_EQ(format_span(-5s), "0s");
}

TEST(Later, does_not_run_over_the_end_of_time) {
    const Instant now{1h};
    EXPECT_EQ(later(now, 5s), now + 5s);
    EXPECT_EQ(later(now, forever), end_of_time);
    EXPECT_EQ(later(end_of_time, 1ns), end_of_time);
}

} // namespace
} // namespace egb
