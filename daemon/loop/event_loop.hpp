// SPDX-License-Identifier: Apache-2.0
// The one thread that owns all state: sd-event with owners for its sources.
#pragma once

#include "core/clock.hpp"

#include <systemd/sd-event.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

namespace egb::loop {

/// Who goes first when several are ready. Signals and the watchdog come before everything; all others take
/// turns, each with a bounded piece of work, so that a flood on the bus cannot starve the rings, nor the
/// other way round.
enum class Priority : std::int64_t { vital = -100, bus = 0, events = 0, timers = 0, sweeps = 0 };

/// A source that leaves the loop with its owner. It may do so from within its own callback.
class EventSource {
public:
    EventSource() = default;
    explicit EventSource(sd_event_source* source) : source_{source} {}
    [[nodiscard]] explicit operator bool() const { return source_ != nullptr; }
    [[nodiscard]] sd_event_source* get() const { return source_.get(); }
    void reset() { source_.reset(); }

private:
    struct Unref {
        void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
    };
    std::unique_ptr<sd_event_source, Unref> source_;
};

/// Callbacks run on the loop's thread and must not block. One that throws ends the loop with that exception.
/// Whatever cannot be set up throws std::system_error.
class EventLoop {
public:
    using Callback = std::function<void()>;

    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// The descriptor stays the caller's, and must outlive the source.
    [[nodiscard]] EventSource on_readable(int fd, Priority priority, Callback callback);

    /// The same for one that can be written to, or has nobody left to read. A descriptor cannot be waited for
    /// in both ways: one of them needs a duplicate.
    [[nodiscard]] EventSource on_writable(int fd, Priority priority, Callback callback);

    /// Nothing is heard of a source for as long as it is paused; what waits then is heard of afterwards.
    void pause(EventSource& source) const;
    void resume(EventSource& source) const;

    /// A timer that is off until armed. One shot: arm it again for more.
    [[nodiscard]] EventSource timer(Priority priority, Callback callback);
    /// Never fires early; late by some milliseconds, so that one wake-up may serve several timers.
    void arm(EventSource& timer, Instant at) const;
    void disarm(EventSource& timer);

    /// The signal is blocked in this thread from now on; create no thread before.
    [[nodiscard]] EventSource on_signal(int signal, Callback callback);

    /// Feeds the service manager's watchdog for as long as `alive` says so. False outside of a service with
    /// WatchdogSec=.
    bool watchdog(std::function<bool()> alive);

    /// Runs until stop() or an exception; returns the code given to stop(). Once.
    int run();
    void stop(int code) const;

    [[nodiscard]] sd_event* get() const { return event_.get(); }

private:
    struct Unref {
        void operator()(sd_event* event) const { sd_event_unref(event); }
    };
    struct Slot;

    [[nodiscard]] EventSource on_io(int fd, std::uint32_t events, Priority priority, Callback callback);
    [[nodiscard]] EventSource adopt(sd_event_source* source, std::unique_ptr<Slot> slot, Priority priority);
    [[nodiscard]] std::unique_ptr<Slot> make_slot(Callback callback);
    void feed_watchdog(Span interval, const std::function<bool()>& alive);

    std::unique_ptr<sd_event, Unref> event_;
    std::exception_ptr failure_;
    EventSource watchdog_;
};

} // namespace egb::loop
