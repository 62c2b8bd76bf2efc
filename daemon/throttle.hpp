// SPDX-License-Identifier: Apache-2.0
// For what is worth doing at once, but not all the time: telling the world what has changed.
// Owned by the daemon, runs on its loop; nothing wakes up while nothing is asked for.
#pragma once

#include "core/clock.hpp"
#include "loop/event_loop.hpp"

#include <functional>
#include <optional>

namespace egb {

class Throttle {
public:
    /// The loop and the clock must outlive it.
    Throttle(loop::EventLoop& loop, const Clock& clock, Span interval, std::function<void()> action);

    /// Does it now, or when the interval since the last time is over, once for any number of requests.
    void request();

private:
    void act();

    loop::EventLoop& loop_;
    const Clock& clock_;
    Span interval_;
    std::function<void()> action_;
    loop::EventSource timer_;
    std::optional<Instant> last_;
    bool waiting_{};
};

} // namespace egb
