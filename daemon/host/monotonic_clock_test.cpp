// SPDX-License-Identifier: Apache-2.0
#include "host/monotonic_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <thread>

namespace egb::host {

namespace {

Instant kernel_time() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return instant_of(static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
                      static_cast<std::uint64_t>(time.tv_nsec));
}

TEST(MonotonicClock, IsTheKernelSidesClock) {
    const MonotonicClock clock;
    const auto before = kernel_time();
    const auto now = clock.now();
    EXPECT_LE(before, now);
    EXPECT_LE(now, kernel_time());
}

TEST(MonotonicClock, KnowsTheWallTimeOfAnInstant) {
    const MonotonicClock clock;
    const auto an_hour_ago = clock.wall(clock.now() - std::chrono::hours{1});
    const auto expected = std::chrono::system_clock::now() - std::chrono::hours{1};
    EXPECT_LT(std::chrono::abs(an_hour_ago - expected), std::chrono::minutes{1});
}

TEST(MonotonicClock, CountsWhatTheThreadComputesAndNotWhatItWaitsFor) {
    const MonotonicClock clock;
    const Instant begun = clock.now();
    const Span before = clock.cpu_time();
    while (clock.cpu_time() - before < std::chrono::milliseconds{2}) {
    }
    const Span worked = clock.cpu_time() - before;
    EXPECT_LE(worked, clock.now() - begun);
    Span others{};
    std::thread{[&] {
        others = clock.cpu_time();
    }}.join();
    EXPECT_LT(others, clock.cpu_time()) << "each thread has its own";
}

} // namespace

} // namespace egb::host
