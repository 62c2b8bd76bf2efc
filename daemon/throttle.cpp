// SPDX-License-Identifier: Apache-2.0
#include "throttle.hpp"

#include <utility>

namespace egb {

Throttle::Throttle(loop::EventLoop& loop, const Clock& clock, Span interval, std::function<void()> action)
    : loop_{loop},
      clock_{clock},
      interval_{interval},
      action_{std::move(action)},
      timer_{loop.timer(loop::Priority::timers, [this] {
          act();
      })} {}

void Throttle::request() {
    const Instant now = clock_.now();
    const Instant due = last_ ? later(*last_, interval_) : now;
    if (due <= now) {
        act(); // also where the timer is late, because others go first
    } else if (!std::exchange(waiting_, true)) {
        loop_.arm(timer_, due);
    }
}

void Throttle::act() {
    if (std::exchange(waiting_, false)) {
        loop_.disarm(timer_);
    }
    last_ = clock_.now();
    action_();
}

} // namespace egb
