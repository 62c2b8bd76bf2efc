// SPDX-License-Identifier: Apache-2.0
// Incidents as the four signals of the bus. A flood becomes a trickle: 50 single signals per signal, kind and
// second; what is beyond is counted, and told by one signal at the end of that second.
// Owned by the daemon, runs on its loop.
#pragma once

#include "bus/signals.hpp"
#include "core/clock.hpp"
#include "engine/sink.hpp"
#include "loop/event_loop.hpp"
#include "sinks/signal_budget.hpp"

namespace egb::sinks {

class BusSink final : public engine::Sink {
public:
    /// All three must outlive it.
    BusSink(loop::EventLoop& loop, const Clock& clock, bus::Signals& signals);

    void record(const Incident& incident) override;
    void flush() override;

private:
    loop::EventLoop& loop_;
    const Clock& clock_;
    bus::Signals& signals_;
    SignalBudget budget_;
    loop::EventSource timer_;
};

} // namespace egb::sinks
