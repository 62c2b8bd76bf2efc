// SPDX-License-Identifier: Apache-2.0
#include "kinds/process/cleaner.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

namespace egb::process {

/// Some of them are still dead and still its children.
Result<> ParentCleaner::confirm(const Ghost& ghost) {
    const ProcessPtr parent = tracker_.parent_of(ghost.key);
    const auto& zombies = tracker_.zombies_of(ghost.key);
    const bool some_are_left = std::ranges::any_of(zombies, [&](const ZombieTracker::Zombie& zombie) {
        const auto state = surroundings_.procfs.state(zombie.pid);
        return state && state->start_ticks == zombie.start_ticks && state->state == 'Z' &&
               state->parent == parent->id.pid;
    });
    if (some_are_left && surroundings_.procfs.identity(parent->id.pid) == parent->id) {
        return {};
    }
    tracker_.look_again(surroundings_.clock.now());
    return fail(ErrorCode::not_found, "they have been waited for");
}

std::vector<Outcome> ParentCleaner::ask(std::span<const GhostPtr> ghosts) {
    std::vector<Outcome> outcomes;
    for (const GhostPtr& ghost : ghosts) {
        outcomes.push_back(tell_again(*ghost));
    }
    return outcomes;
}

Outcome ParentCleaner::tell_again(const Ghost& ghost) {
    const ProcessPtr parent = tracker_.parent_of(ghost.key);
    if (!parent) {
        return outcome_of({.code = ErrorCode::not_found, .message = "they have been waited for"});
    }
    if (const auto sent = surroundings_.sys.signal_process(parent->id, SIGCHLD); !sent) {
        return outcome_of(sent.error());
    }
    const ToldRecord record{
        .header = {.type = std::to_underlying(RecordType::told),
                   .size = sizeof(ToldRecord),
                   .reserved = 0,
                   .time_ns = 0},
        .start_ticks = parent->id.start_ticks,
        .pid = parent->id.pid,
    };
    tracker_.observe({.type = SightingType::seen,
                      .source = Source::event,
                      .at = surroundings_.clock.now(),
                      .record = std::as_bytes(std::span{&record, 1})});
    return {.verdict = Verdict::asked,
            .reason = formatted("{} (pid {}) was told again, by SIGCHLD, that children of its have died",
                                parent->comm, parent->id.pid)};
}

/// One at a time: the loop waits for systemd's answer.
std::vector<Outcome> ParentCleaner::clean(std::span<const GhostPtr> ghosts) {
    std::vector<Outcome> outcomes;
    for (const GhostPtr& ghost : ghosts) {
        if (ghost->grade == Grade::suspected) {
            outcomes.push_back(tell_again(*ghost));
        } else if (outcomes.empty()) {
            outcomes.push_back(restart_unit(*ghost));
        } else {
            outcomes.push_back({.verdict = Verdict::refused, .reason = "another unit is being seen to"});
        }
    }
    return outcomes;
}

Outcome ParentCleaner::restart_unit(const Ghost& ghost) {
    const ProcessPtr parent = tracker_.parent_of(ghost.key);
    if (!parent || !restart_every_) {
        return {.verdict = Verdict::refused, .reason = parent ? "ParentUnit=no" : "its parent has ended"};
    }
    const auto asked = surroundings_.sys.ask_unit(
        {.unit = parent->unit, .process = parent->id, .every = *restart_every_}, host::UnitAct::restart);
    unit_refusal_ = asked ? "" : asked.error().message;
    return asked ? Outcome{.verdict = Verdict::asked,
                           .reason = formatted("systemd was asked to restart {}", parent->unit)}
                 : outcome_of(asked.error());
}

} // namespace egb::process
