// SPDX-License-Identifier: Apache-2.0
#include "sinks/bus_sink.hpp"

namespace egb::sinks {

namespace {

void emit(bus::Signals& signals, const Told& told) {
    const Incident& incident = told.incident;
    const Ghost& ghost = *incident.ghost;
    switch (incident.type) {
    case IncidentType::appeared:
    case IncidentType::changed:
        signals.ghost_appeared(ghost, told.more);
        return;
    case IncidentType::pending:
        signals.action_pending(ghost, incident.until_act, told.more);
        return;
    case IncidentType::acted:
        signals.ghost_cleaned(ghost, incident.outcome, told.more);
        return;
    case IncidentType::vanished:
        signals.ghost_vanished(ghost, incident.outcome.reason, told.more);
        return;
    }
}

} // namespace

BusSink::BusSink(loop::EventLoop& loop, const Clock& clock, bus::Signals& signals)
    : loop_{loop}, clock_{clock}, signals_{signals}, timer_{loop.timer(loop::Priority::timers, [this] {
          flush();
      })} {}

void BusSink::record(const Incident& incident) {
    budget_.take(incident, clock_.now());
}

void BusSink::flush() {
    for (const auto& told : budget_.due(clock_.now())) {
        emit(signals_, told);
    }
    if (const auto deadline = budget_.deadline()) {
        loop_.arm(timer_, *deadline);
    }
}

} // namespace egb::sinks
