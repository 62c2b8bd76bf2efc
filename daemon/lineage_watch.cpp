// SPDX-License-Identifier: Apache-2.0
#include "lineage_watch.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace egb {

namespace {

/// Whatever makes it miss things may go on for a while.
constexpr Span before_reconciliation = std::chrono::seconds{2};

constexpr Span between_failures = std::chrono::minutes{5};
} // namespace

LineageWatch::LineageWatch(host::BpfLineage& lineage, const Clock& clock, loop::EventLoop& loop,
                           OnNews on_news)
    : lineage_{lineage},
      clock_{clock},
      loop_{loop},
      on_news_{std::move(on_news)},
      timer_{loop.timer(loop::Priority::sweeps, [this] {
          reconcile();
      })} {}

void LineageWatch::start() {
    if (const auto started = lineage_.start(); !started) {
        spdlog::warn("who forks whom cannot be followed: {}", started.error().message);
        return;
    }
    events_ = loop_.on_readable(lineage_.events().poll_fd(), loop::Priority::events, [this] {
        on_events();
    });
    // Whoever was here before may have heard of a death, and not have come to ask for the next to be told.
    if (const auto looked = lineage_.unreaped(); !looked) {
        spdlog::error("the dead cannot be looked for: {}", looked.error().message);
    }
}

void LineageWatch::on_events() {
    pulse_.hear();
    if (const auto drained = lineage_.drain(); !drained) {
        // The descriptor would stay readable for ever. The watchdog makes an end of this.
        events_.reset();
        spdlog::error("the deaths of processes cannot be read: {}", drained.error().message);
    }
    if (lineage_.incomplete() && !std::exchange(owed_, true)) {
        spdlog::warn("some forks or deaths were missed; who descends from whom is not known for now");
        loop_.arm(timer_, later(clock_.now(), before_reconciliation));
    }
    on_news_();
}

void LineageWatch::reconcile() {
    owed_ = false;
    if (const auto reconciled = lineage_.reconcile(); !reconciled) {
        spdlog::error("what was missed of forks and deaths is not put right: {}", reconciled.error().message);
        owed_ = true;
        loop_.arm(timer_, later(clock_.now(), between_failures));
        return;
    }
    if (lineage_.incomplete()) {
        spdlog::warn("there is no room for what is to be kept of processes; who descends from whom is not "
                     "known for now");
        owed_ = true;
        loop_.arm(timer_, later(clock_.now(), between_failures));
        return;
    }
    spdlog::info("from now on it is known again who descends from whom");
    on_news_();
}

bool LineageWatch::beat() {
    if (!lineage_.lack().empty()) {
        return true;
    }
    if (has_events(lineage_.events().poll_fd())) {
        on_events();
    }
    return pulse_.beat("lineage",
                       {.canaries = lineage_.events().canaries(), .lost = lineage_.events().lost()}, [this] {
                           return lineage_.events().provoke_canary();
                       });
}

} // namespace egb
