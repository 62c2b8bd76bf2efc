// SPDX-License-Identifier: Apache-2.0
#include "core/incident.hpp"

namespace egb {

std::string_view to_string(IncidentType type) {
    switch (type) {
    case IncidentType::appeared:
        return "appeared";
    case IncidentType::changed:
        return "changed";
    case IncidentType::pending:
        return "pending";
    case IncidentType::acted:
        return "acted";
    case IncidentType::vanished:
        return "vanished";
    }
    std::unreachable();
}

Result<IncidentType> parse_incident_type(std::string_view text) {
    for (const auto type : {IncidentType::appeared, IncidentType::changed, IncidentType::pending,
                            IncidentType::acted, IncidentType::vanished}) {
        if (text == to_string(type)) {
            return type;
        }
    }
    return fail(ErrorCode::invalid, "expected appeared, changed, pending, acted or vanished, not \"{}\"",
                text);
}

std::string_view Incident::name() const {
    return type == IncidentType::acted ? to_string(outcome.verdict) : to_string(type);
}

Act::~Act() {
    finish({.verdict = Verdict::failed, .reason = "abandoned half way"});
}

void Act::finish(const Outcome& outcome) {
    if (const auto record = std::exchange(record_, nullptr)) {
        record(ghost_, outcome);
    }
}

} // namespace egb
