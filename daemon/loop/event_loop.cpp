// SPDX-License-Identifier: Apache-2.0
#include "loop/event_loop.hpp"

#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <system_error>
#include <utility>

namespace egb::loop {

namespace {

/// So that what comes at about the same time wakes us once; what is due already does not wait for others.
constexpr std::uint64_t timer_slack_usec = 10'000;
constexpr std::uint64_t no_slack_usec = 1;

int check(int result, const char* what) {
    if (result < 0) {
        throw std::system_error{-result, std::generic_category(), what};
    }
    return result;
}

/// sd-event counts in microseconds; rounded up, so that nothing happens before its time.
std::uint64_t usec_of(Instant instant) {
    const auto since_boot = std::chrono::ceil<std::chrono::microseconds>(instant.time_since_epoch());
    return static_cast<std::uint64_t>(std::max<std::int64_t>(since_boot.count(), 0));
}

Instant now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return Instant{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

} // namespace

/// What a source of sd-event calls; it lives exactly as long as the source.
struct EventLoop::Slot {
    EventLoop& loop;
    Callback callback;

    /// No exception may pass through sd-event, which is C.
    int call() {
        try {
            callback();
        } catch (...) {
            loop.failure_ = std::current_exception();
            sd_event_exit(loop.get(), EXIT_FAILURE);
        }
        return 0;
    }

    static int on_io(sd_event_source* /*source*/, int /*fd*/, std::uint32_t /*events*/, void* slot) {
        return static_cast<Slot*>(slot)->call();
    }
    static int on_time(sd_event_source* /*source*/, std::uint64_t /*usec*/, void* slot) {
        return static_cast<Slot*>(slot)->call();
    }
    static int on_signal(sd_event_source* /*source*/, const signalfd_siginfo* /*info*/, void* slot) {
        return static_cast<Slot*>(slot)->call();
    }
    static void destroy(void* slot) { std::unique_ptr<Slot>{static_cast<Slot*>(slot)}.reset(); }
};

EventLoop::EventLoop() {
    sd_event* event = nullptr;
    check(sd_event_new(&event), "making an event loop");
    event_.reset(event);
}

EventLoop::~EventLoop() = default;

std::unique_ptr<EventLoop::Slot> EventLoop::make_slot(Callback callback) {
    return std::make_unique<Slot>(*this, std::move(callback));
}

EventSource EventLoop::adopt(sd_event_source* source, std::unique_ptr<Slot> slot, Priority priority) {
    EventSource owned{source};
    check(sd_event_source_set_priority(source, std::to_underlying(priority)), "setting an event's priority");
    check(sd_event_source_set_destroy_callback(source, Slot::destroy), "setting an event's owner");
    [[maybe_unused]] const auto* owned_by_source = slot.release();
    return owned;
}

EventSource EventLoop::on_io(int fd, std::uint32_t events, Priority priority, Callback callback) {
    auto slot = make_slot(std::move(callback));
    sd_event_source* source = nullptr;
    check(sd_event_add_io(get(), &source, fd, events, Slot::on_io, slot.get()), "watching a descriptor");
    return adopt(source, std::move(slot), priority);
}

EventSource EventLoop::on_readable(int fd, Priority priority, Callback callback) {
    return on_io(fd, EPOLLIN, priority, std::move(callback));
}

EventSource EventLoop::on_writable(int fd, Priority priority, Callback callback) {
    return on_io(fd, EPOLLOUT, priority, std::move(callback));
}

void EventLoop::pause(EventSource& source) const {
    check(sd_event_source_set_enabled(source.get(), SD_EVENT_OFF), "pausing a source");
}

void EventLoop::resume(EventSource& source) const {
    check(sd_event_source_set_enabled(source.get(), SD_EVENT_ON), "resuming a source");
}

EventSource EventLoop::timer(Priority priority, Callback callback) {
    auto slot = make_slot(std::move(callback));
    sd_event_source* source = nullptr;
    check(sd_event_add_time(get(), &source, CLOCK_MONOTONIC, 0, timer_slack_usec, Slot::on_time, slot.get()),
          "making a timer");
    auto owned = adopt(source, std::move(slot), priority);
    disarm(owned);
    return owned;
}

/// What still comes to pass while the daemon takes itself apart may want to be woken; nobody will be.
void EventLoop::arm(EventSource& timer, Instant at) const {
    if (sd_event_get_state(get()) == SD_EVENT_FINISHED) {
        return;
    }
    check(sd_event_source_set_time(timer.get(), usec_of(at)), "setting a timer");
    check(sd_event_source_set_time_accuracy(timer.get(), at <= now() ? no_slack_usec : timer_slack_usec),
          "setting a timer");
    check(sd_event_source_set_enabled(timer.get(), SD_EVENT_ONESHOT), "arming a timer");
}

void EventLoop::disarm(EventSource& timer) {
    check(sd_event_source_set_enabled(timer.get(), SD_EVENT_OFF), "disarming a timer");
}

EventSource EventLoop::on_signal(int signal, Callback callback) {
    auto slot = make_slot(std::move(callback));
    sd_event_source* source = nullptr;
    check(sd_event_add_signal(get(), &source, signal | SD_EVENT_SIGNAL_PROCMASK, Slot::on_signal, slot.get()),
          "waiting for a signal");
    return adopt(source, std::move(slot), Priority::vital);
}

bool EventLoop::watchdog(std::function<bool()> alive) {
    std::uint64_t usec = 0;
    if (check(sd_watchdog_enabled(0, &usec), "reading the watchdog's interval") == 0) {
        return false;
    }
    // sd-event has a watchdog of its own, which would be fed whatever state the kernel side is in.
    // Twice as often as systemd advises: one beat may fail and nothing is lost yet.
    const Span interval = std::chrono::microseconds{usec} / 4;
    watchdog_ = timer(Priority::vital, [this, interval, alive = std::move(alive)] {
        feed_watchdog(interval, alive);
    });
    arm(watchdog_, now());
    return true;
}

void EventLoop::feed_watchdog(Span interval, const std::function<bool()>& alive) {
    if (alive()) {
        sd_notify(0, "WATCHDOG=1");
    }
    arm(watchdog_, now() + interval);
}

int EventLoop::run() {
    const int result = sd_event_loop(get());
    if (failure_) {
        std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    return check(result, "running the event loop");
}

void EventLoop::stop(int code) const {
    check(sd_event_exit(get(), code), "stopping the event loop");
}

} // namespace egb::loop
