// SPDX-License-Identifier: Apache-2.0
#include "engine/marks.hpp"

#include "harness/builders.hpp"

#include <gtest/gtest.h>

namespace egb::engine {
namespace {

using namespace std::chrono_literals;

constexpr Instant noon{12h};

TEST(Marks, last_until_their_time) {
    Marks<int> marks;
    const auto ghost = test::make_ghost("a");
    marks.set(ghost, {.until = noon + 1h, .value = 7}, noon);
    ASSERT_NE(marks.find(ghost, noon + 1h - 1ns), nullptr);
    EXPECT_EQ(marks.find(ghost, noon)->value, 7);
    EXPECT_EQ(marks.find(ghost, noon + 1h), nullptr);
    EXPECT_EQ(marks.find(test::make_ghost("b"), noon), nullptr);
}

TEST(Marks, are_by_key_and_not_by_id) {
    Marks<int> marks;
    auto ghost = test::make_ghost("a");
    ghost.id = 1;
    marks.set(ghost, {.until = noon + 1h, .value = 7}, noon);
    ghost.id = 2;
    EXPECT_NE(marks.find(ghost, noon), nullptr);
}

TEST(Marks, the_last_one_counts) {
    Marks<int> marks;
    const auto ghost = test::make_ghost("a");
    marks.set(ghost, {.until = noon + 2h, .value = 7}, noon);
    marks.set(ghost, {.until = noon + 1h, .value = 8}, noon);
    EXPECT_EQ(marks.size(), 1);
    EXPECT_EQ(marks.find(ghost, noon)->value, 8);
    EXPECT_EQ(marks.find(ghost, noon + 1h), nullptr);
    marks.set(ghost, {.until = noon, .value = 9}, noon);
    EXPECT_EQ(marks.size(), 0);
}

TEST(Marks, are_dropped_when_their_time_is_over) {
    Marks<int> marks;
    marks.set(test::make_ghost("a"), {.until = noon + 1h}, noon);
    marks.set(test::make_ghost("b"), {.until = noon + 2h}, noon + 1h);
    EXPECT_EQ(marks.size(), 1);
}

TEST(Marks, make_room_by_dropping_what_would_end_first) {
    Marks<int> marks;
    for (std::size_t number = 0; number <= Marks<int>::most; ++number) {
        marks.set(test::make_ghost(std::to_string(number)), {.until = noon + number * 1s + 1s}, noon);
    }
    EXPECT_EQ(marks.size(), Marks<int>::most);
    EXPECT_EQ(marks.find(test::make_ghost("0"), noon), nullptr);
    EXPECT_NE(marks.find(test::make_ghost("1"), noon), nullptr);
}

} // namespace
} // namespace egb::engine
