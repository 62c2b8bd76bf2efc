// SPDX-License-Identifier: Apache-2.0
#include "core/trend.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace egb {
namespace {

using namespace std::chrono_literals;

std::vector<Sample> every_minute(std::initializer_list<double> values) {
    std::vector<Sample> samples;
    for (const double value : values) {
        samples.push_back({.at = Instant{} + 1min * samples.size(), .value = value});
    }
    return samples;
}

TEST(Trend, is_how_fast_the_floor_rises) {
    EXPECT_DOUBLE_EQ(growth_per_minute(every_minute({10, 12, 14, 16})).value(), 2.0);
    EXPECT_DOUBLE_EQ(growth_per_minute(every_minute({10, 90, 10, 90})).value(), 0.0) << "it comes and goes";
    EXPECT_DOUBLE_EQ(growth_per_minute(every_minute({9, 9, 3, 3})).value(), -3.0);
}

TEST(Trend, is_not_told_from_little) {
    EXPECT_FALSE(growth_per_minute(every_minute({1, 2, 3})));
    EXPECT_FALSE(growth_per_minute({}));
    std::vector<Sample> close = every_minute({1, 2, 3, 4, 5});
    for (Sample& sample : close) {
        sample.at = Instant{} + (sample.at - Instant{}) / 10;
    }
    EXPECT_FALSE(growth_per_minute(close)) << "24 seconds are no trend";
}

TEST(Trend, tells_how_long_there_is_room) {
    EXPECT_EQ(lasts(100, 10), 10min);
    EXPECT_EQ(lasts(105, 10), 10min) << "not to the second";
    EXPECT_EQ(lasts(1, 2), 30s);
    EXPECT_EQ(lasts(0, 0), Span{}) << "none is left";
    EXPECT_EQ(lasts(100, 0), std::nullopt);
    EXPECT_EQ(lasts(1e9, 1), std::nullopt) << "too far away to say";
}

} // namespace
} // namespace egb
