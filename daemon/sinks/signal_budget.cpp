// SPDX-License-Identifier: Apache-2.0
#include "sinks/signal_budget.hpp"

#include "core/kind_info.hpp"

namespace egb::sinks {

namespace {

/// Incidents that are told by the same signal share its budget.
IncidentType signal_of(IncidentType type) {
    return type == IncidentType::changed ? IncidentType::appeared : type;
}

} // namespace

void SignalBudget::take(const Incident& incident, Instant now) {
    Window& open = windows_[{signal_of(incident.type), std::string{incident.ghost->kind->name}}];
    if (now >= open.end) {
        close(open);
        open = Window{.end = now + window, .singles = 0, .rest = {}};
    }
    if (open.singles < most_singles) {
        ++open.singles;
        due_.push_back({incident});
        return;
    }
    const auto more = open.rest ? open.rest->more + 1 : 0;
    open.rest = Told{.incident = incident, .more = more};
}

std::vector<Told> SignalBudget::due(Instant now) {
    for (auto& entry : windows_) {
        if (now >= entry.second.end) {
            close(entry.second);
        }
    }
    return std::exchange(due_, {});
}

std::optional<Instant> SignalBudget::deadline() const {
    std::optional<Instant> next;
    for (const auto& [sort, open] : windows_) {
        if (open.rest && (!next || open.end < *next)) {
            next = open.end;
        }
    }
    return next;
}

void SignalBudget::close(Window& ended) {
    if (ended.rest) {
        due_.push_back(std::move(*ended.rest));
        ended.rest.reset();
    }
}

} // namespace egb::sinks
