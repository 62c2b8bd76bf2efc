// SPDX-License-Identifier: Apache-2.0
#include "host/monotonic_clock.hpp"

#include <ctime>

namespace egb::host {

namespace {

Span read_clock(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

} // namespace

Instant MonotonicClock::now() const {
    return Instant{read_clock(CLOCK_MONOTONIC)};
}

Span MonotonicClock::cpu_time() const {
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

WallTime MonotonicClock::wall_now() const {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

} // namespace egb::host
