// SPDX-License-Identifier: Apache-2.0
#include "core/clock.hpp"

#include <gtest/gtest.h>

namespace egb {
namespace {

using namespace std::chrono_literals;

/// Whoever reads it is interrupted each time.
class BusyClock final : public Clock {
public:
    [[nodiscard]] Instant now() const override { return Instant{} + pass(); }
    [[nodiscard]] WallTime wall_now() const override {
        return WallTime{} + std::chrono::floor<std::chrono::microseconds>(pass());
    }
    [[nodiscard]] Span cpu_time() const override { return {}; }

private:
    Span pass() const { return passed_ += 20ms + 1ns; }

    mutable Span passed_{1h};
};

TEST(Clock, TakesNoInstantForALaterOne) {
    const BusyClock clock;
    const Instant instant = clock.now();
    const auto on_the_wall = WallTime{} + std::chrono::floor<std::chrono::microseconds>(instant - Instant{});
    EXPECT_LE(clock.wall(instant), on_the_wall);
    EXPECT_GE(clock.wall(instant), on_the_wall - 41ms);
}

} // namespace
} // namespace egb
