// SPDX-License-Identifier: Apache-2.0
#include "time.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace egb::cli {

namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

/// Fri 2025-11-21 11:43:23 UTC
constexpr WallTime noonish{microseconds{1'763'725'403'000'000}};

class Time : public ::testing::Test {
protected:
    void SetUp() override { in_zone("UTC"); }

    static void in_zone(const char* zone) {
        setenv("TZ", zone, 1);
        tzset();
    }

    static std::string moment(std::string_view text) {
        const auto time = parse_moment(text, noonish);
        return time ? short_stamp(*time) : time.error().message;
    }
};

TEST_F(Time, AgesHaveTwoUnitsAtMost) {
    EXPECT_EQ(age(0s), "0s");
    EXPECT_EQ(age(34ms + 250us), "34ms");
    EXPECT_EQ(age(1s + 999ms), "1s");
    EXPECT_EQ(age(2min + 3s + 4ms), "2min 3s");
    EXPECT_EQ(age(26h + 30min), "1d 2h");
    EXPECT_EQ(age(forever), "infinity");
}

TEST_F(Time, AClockThatWasSetBackMakesNothingYoungerThanNow) {
    EXPECT_EQ(age(-5s), "0s");
}

TEST_F(Time, AnAgeThatIsALowerBoundSaysSo) {
    EXPECT_EQ(age(2min, Known::exactly, Charset::utf8), "2min");
    EXPECT_EQ(age(2min, Known::at_least, Charset::utf8), "≥ 2min");
    EXPECT_EQ(age(2min, Known::at_least, Charset::ascii), ">= 2min");
}

TEST_F(Time, RelativeToNow) {
    EXPECT_EQ(relative(noonish - 5min, noonish), "5min ago");
    EXPECT_EQ(relative(noonish + 3s, noonish), "in 3s");
    EXPECT_EQ(relative(noonish, noonish), "0s ago");
}

TEST_F(Time, StampsAreLocal) {
    EXPECT_EQ(stamp(noonish), "Fri 2025-11-21 11:43:23 UTC");
    EXPECT_EQ(short_stamp(noonish), "2025-11-21 11:43:23");
    EXPECT_EQ(clock_stamp(noonish), "11:43:23");
    in_zone("CET-1");
    EXPECT_EQ(stamp(noonish), "Fri 2025-11-21 12:43:23 CET");
}

TEST_F(Time, MomentsAsJournalctlTakesThem) {
    EXPECT_EQ(moment("2025-11-20 08:01:02"), "2025-11-20 08:01:02");
    EXPECT_EQ(moment("2025-11-20 08:01"), "2025-11-20 08:01:00");
    EXPECT_EQ(moment("2025-11-20"), "2025-11-20 00:00:00");
    EXPECT_EQ(moment("08:01"), "2025-11-21 08:01:00");
    EXPECT_EQ(moment("08:01:02"), "2025-11-21 08:01:02");
    EXPECT_EQ(moment("now"), "2025-11-21 11:43:23");
    EXPECT_EQ(moment("today"), "2025-11-21 00:00:00");
    EXPECT_EQ(moment("yesterday"), "2025-11-20 00:00:00");
    EXPECT_EQ(moment("2h ago"), "2025-11-21 09:43:23");
    EXPECT_EQ(moment("-2h"), "2025-11-21 09:43:23");
    EXPECT_EQ(moment("1h 43min"), "2025-11-21 10:00:23");
}

TEST_F(Time, MomentsThatAreNone) {
    for (const auto* text : {"", "soon", "2025-02-30", "25:00", "2025-11-20 08:01:02 x", "infinity", "ago"}) {
        EXPECT_FALSE(parse_moment(text, noonish)) << text;
    }
    EXPECT_EQ(moment("soon"), "expected a time such as \"2025-11-21 11:43\", 11:43, today, yesterday or "
                              "\"2h ago\", not \"soon\"");
}

TEST_F(Time, TheLargestNumberOfTheBusIsForEver) {
    EXPECT_EQ(span_of(UINT64_MAX), forever);
    EXPECT_EQ(usec_of(forever), UINT64_MAX);
    EXPECT_EQ(span_of(90'000'000), 90s);
    EXPECT_EQ(usec_of(Span{90s}), 90'000'000U);
    EXPECT_EQ(usec_of(wall_of(1'700'000'000'000'000)), 1'700'000'000'000'000U);
    EXPECT_EQ(usec_of(wall_of(UINT64_MAX)), static_cast<std::uint64_t>(INT64_MAX));
}

} // namespace

} // namespace egb::cli
