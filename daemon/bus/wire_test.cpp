// SPDX-License-Identifier: Apache-2.0
#include "bus/wire.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace egb::bus {
namespace {

TEST(WireText, KeepsUtf8AndLineBreaks) {
    EXPECT_EQ(wire_text("one\ntwo \xC3\xA4"), "one\ntwo \xC3\xA4");
}

TEST(WireText, EscapesWhatTheBusWouldRefuse) {
    EXPECT_EQ(wire_text("b\xFF"), "b\\xff");
    EXPECT_EQ(wire_text(std::string_view{"a\0b", 3}), "a\\x00b");
}

TEST(Shortened, KeepsWhatFits) {
    EXPECT_EQ(shortened("four", 4), "four");
    EXPECT_EQ(shortened(std::string(longest_echo, 'x')), std::string(longest_echo, 'x'));
}

TEST(Shortened, CutsBetweenCharacters) {
    EXPECT_EQ(shortened("fours", 4), "four...");
    EXPECT_EQ(shortened("ab\xC3\xA4z", 3), "ab...");
    EXPECT_EQ(shortened("ab\xC3\xA4z", 4), "ab\xC3\xA4...");
}

TEST(WireTime, NeverGoesBelowTheEpoch) {
    EXPECT_EQ(wire_time(WallTime{5us}), 5U);
    EXPECT_EQ(wire_time(WallTime{-5us}), 0U);
}

TEST(WireSpan, SaysForeverAsTheLargestNumber) {
    EXPECT_EQ(wire_span(2s), 2'000'000U);
    EXPECT_EQ(wire_span(forever), UINT64_MAX);
    EXPECT_EQ(wire_span(-1s), 0U);
}

TEST(SpanOfUsec, TakesWhatDoesNotFitAsForever) {
    EXPECT_EQ(span_of_usec(0), Span::zero());
    EXPECT_EQ(span_of_usec(1'500), 1500us);
    EXPECT_EQ(span_of_usec(UINT64_MAX), forever);
    EXPECT_EQ(span_of_usec(UINT64_MAX / 1000), forever);
}

} // namespace
} // namespace egb::bus
