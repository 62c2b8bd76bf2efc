// SPDX-License-Identifier: Apache-2.0
// Time as the kernel side stamps it, and as people read it.
#pragma once

#include <chrono>
#include <cstdint>

namespace egb {

using Span = std::chrono::nanoseconds;

/// CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns(): it stands still while the machine sleeps, so that a
/// laptop that wakes up does not find every half-closed connection to be hours old.
struct MonotonicTime {
    using duration = Span;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<MonotonicTime>;
    static constexpr bool is_steady = true;
};
using Instant = MonotonicTime::time_point;

/// "infinity": longer than anything lasts.
constexpr Span forever = Span::max();

/// An instant that is never reached.
constexpr Instant end_of_time = Instant::max();

/// The instant after so long; `end_of_time` where the sum would not fit.
constexpr Instant later(Instant instant, Span span) {
    return span > end_of_time - instant ? end_of_time : instant + span;
}

/// Wall time, for journals, databases and eyes. A verdict rests on it only where a file system has no other.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

constexpr Instant instant_of(std::uint64_t monotonic_ns) {
    return Instant{Span{static_cast<Span::rep>(monotonic_ns)}};
}

/// The only way to ask for the time. host/ has the real one, the tests have one they turn by hand.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
    [[nodiscard]] virtual WallTime wall_now() const = 0;

    /// How long the calling thread has kept a CPU busy so far: what it waits for, be it a CPU, does not
    /// count.
    [[nodiscard]] virtual Span cpu_time() const = 0;

    /// When an instant was, on the wall; never later than that, whatever comes between the two readings: what
    /// was done after it must not seem to be before.
    [[nodiscard]] WallTime wall(Instant instant) const {
        const WallTime wall = wall_now();
        return wall - std::chrono::ceil<std::chrono::microseconds>(now() - instant);
    }
};

} // namespace egb
