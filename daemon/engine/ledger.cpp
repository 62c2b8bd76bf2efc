// SPDX-License-Identifier: Apache-2.0
#include "engine/ledger.hpp"

#include "core/kind_info.hpp"

#include <utility>

namespace egb::engine {

GhostPtr Ledger::give_id(Ghost ghost) {
    ghost.id = ids_.next();
    return std::make_shared<const Ghost>(std::move(ghost));
}

GhostPtr Ledger::enter(Ghost ghost, Entrance entrance) {
    const GhostPtr before = find(ghost.kind->name, ghost.key);
    if (before) {
        return replace(before, std::move(ghost));
    }
    auto entered = give_id(std::move(ghost));
    if (entrance == Entrance::hidden) {
        hidden_.insert(entered->id);
    }
    add(entered);
    tell({.type = IncidentType::appeared, .ghost = entered});
    return entered;
}

GhostPtr Ledger::replace(const GhostPtr& before, Ghost ghost) {
    ghost.id = before->id;
    auto now = std::make_shared<const Ghost>(std::move(ghost));
    shelves_.find(now->kind->name)->second.ghosts.erase(before);
    if (!hidden(now->id)) {
        --counter(*before);
    }
    add(now);
    if (before->grade != now->grade) {
        tell({.type = IncidentType::changed, .ghost = now});
    }
    return now;
}

void Ledger::add(const GhostPtr& ghost) {
    shelves_[std::string{ghost->kind->name}].ghosts.insert(ghost);
    ghosts_.insert_or_assign(ghosts_.end(), ghost->id, ghost); // a new one has the highest id of all
    if (!hidden(ghost->id)) {
        ++counter(*ghost);
    }
}

void Ledger::make_room(std::string_view kind, std::size_t ghosts) {
    auto& shelf = shelves_[std::string{kind}].ghosts;
    if (ghosts > shelf.bucket_count()) { // or it would grow by one each time, at the cost of all
        shelf.reserve(shelf.size() + ghosts);
    }
}

GhostPtr Ledger::vanish(std::string_view kind, std::string_view key, std::string_view reason) {
    const GhostPtr ghost = find(kind, key);
    if (ghost) {
        tell({.type = IncidentType::vanished,
              .ghost = ghost,
              .outcome = {.verdict = Verdict::gone, .reason = std::string{reason}}});
        remove(ghost->id);
    }
    return ghost;
}

void Ledger::pending(const GhostPtr& ghost, Action action, Span until_act) {
    tell({.type = IncidentType::pending, .ghost = ghost, .action = action, .until_act = until_act});
}

void Ledger::acted(const GhostPtr& ghost, const Outcome& outcome, std::string_view actor) {
    const bool is_over = outcome.verdict == Verdict::cleaned || outcome.verdict == Verdict::gone;
    const bool is_listed = ghosts_.contains(ghost->id);
    if (!is_listed) {
        tell({.type = IncidentType::appeared, .ghost = ghost});
    }
    tell({.type = IncidentType::acted, .ghost = ghost, .outcome = outcome, .actor = std::string{actor}});
    if (is_listed && is_over) {
        remove(ghost->id);
    } else if (!is_listed && !is_over) {
        add(ghost);
    }
}

void Ledger::hide(GhostId id) {
    if (const GhostPtr ghost = find(id); ghost && hidden_.insert(id).second) {
        --counter(*ghost);
    }
}

void Ledger::show(GhostId id) {
    if (hidden_.erase(id) > 0) {
        const GhostPtr ghost = ghosts_.at(id);
        ++counter(*ghost);
        tell({.type = IncidentType::appeared, .ghost = ghost});
    }
}

void Ledger::flush(std::size_t most) {
    postponing_ = false;
    for (; most > 0 && !untold_.empty(); --most) {
        record(untold_.front(), false);
        untold_.pop_front();
    }
    unflushed_ = !untold_.empty();
    for (Sink* sink : sinks_) {
        sink->flush();
    }
}

GhostPtr Ledger::find(GhostId id) const {
    const auto ghost = ghosts_.find(id);
    return ghost == ghosts_.end() ? nullptr : ghost->second;
}

GhostPtr Ledger::find(std::string_view kind, std::string_view key) const {
    const auto shelf = shelves_.find(kind);
    if (shelf == shelves_.end()) {
        return nullptr;
    }
    const auto ghost = shelf->second.ghosts.find(key);
    return ghost == shelf->second.ghosts.end() ? nullptr : *ghost;
}

std::size_t Ledger::count(std::string_view kind, Grade grade) const {
    const auto shelf = shelves_.find(kind);
    return shelf == shelves_.end() ? 0 : shelf->second.counts.at(std::to_underlying(grade));
}

void Ledger::tell(Incident incident) {
    if (hidden(incident.ghost->id) && incident.type != IncidentType::acted) {
        return;
    }
    incident.at = clock_.wall_now();
    if (describe_) {
        incident.facts = describe_(*incident.ghost);
    }
    unflushed_ = true;
    record(incident, true);
    if (postponing_ || !untold_.empty()) {
        untold_.push_back(std::move(incident));
    } else {
        record(incident, false);
    }
}

void Ledger::record(const Incident& incident, bool prompt) {
    for (Sink* sink : sinks_) {
        if (sink->prompt() == prompt) {
            sink->record(incident);
        }
    }
}

void Ledger::remove(GhostId id) {
    const GhostPtr ghost = find(id);
    if (!ghost) {
        return;
    }
    if (hidden_.erase(id) == 0) {
        --counter(*ghost);
    }
    shelves_.find(ghost->kind->name)->second.ghosts.erase(ghost);
    ghosts_.erase(id);
}

std::size_t& Ledger::counter(const Ghost& ghost) {
    return shelves_.find(ghost.kind->name)->second.counts.at(std::to_underlying(ghost.grade));
}

} // namespace egb::engine
