// SPDX-License-Identifier: Apache-2.0
#include "host/monotonic_clock.hpp"

#include <ctime>

namespace egb::host {

Instant MonotonicClock::now() const {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return Instant{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

WallTime MonotonicClock::wall_now() const {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

} // namespace egb::host
