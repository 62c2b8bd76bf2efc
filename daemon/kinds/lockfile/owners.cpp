// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/owners.hpp"

#include <csignal>
#include <utility>

namespace egb::lockfile {

namespace {

/// A chain of commands that start commands is not as long.
constexpr std::size_t most_elders = 16;

/// PID 1 of the machine or of a container, and the manager of a user's services.
bool serves_others(std::int32_t pid, const host::ProcFs& procfs) {
    if (pid <= 1) {
        return true;
    }
    const auto state = procfs.state(pid);
    return !state || state->is_container_init || state->comm == "systemd";
}

/// A pipe that nobody reads any more ends the part of a script that writes into it, as it is meant to.
bool met_its_end(const host::Death& death) {
    return death.by_signal() && death.signal() != SIGPIPE;
}

/// Whether the first of them does, as far as is known.
bool lives(const std::vector<ProcessIdentity>& elders, host::Lineage& lineage) {
    const auto death = elders.empty() ? std::nullopt : std::optional{lineage.death_of(elders.front())};
    return death && *death && !**death;
}

Ownership owned_by(std::vector<ProcessIdentity> living, Ownership& so_far) {
    so_far.state = Ownership::State::owned;
    so_far.living = std::move(living);
    return std::move(so_far);
}

} // namespace

/// A creator who was killed meant to come back to it. One who has exited has left it to whoever has started
/// him, and those are asked one after the other, for as long as each has exited, too. Whoever the creator had
/// forked before may share its work: a pool of workers is older than the lock around what they do.
Ownership ownership_of(const Claim& claim, host::Lineage& lineage) {
    Ownership ownership;
    std::vector<ProcessIdentity> line{claim.creator};
    line.insert(line.end(), claim.elders.begin(), claim.elders.end());
    for (const ProcessIdentity& one : line) {
        const bool is_creator = &one == &line.front();
        Met& met = ownership.met.emplace_back(one, lineage.death_of(one));
        const auto death = met.death;
        if (!death && death.error().code != ErrorCode::lost) {
            return ownership;
        }
        if (death && !*death) {
            return owned_by({one}, ownership);
        }
        if (is_creator) {
            ownership.death = death ? *death : std::nullopt;
        }
        auto heirs = lineage.heirs(one, is_creator ? claim.creator_since : claim.since);
        if (!heirs) {
            return ownership;
        }
        met.heirs = std::move(*heirs);
        if (!met.heirs.empty()) {
            return owned_by(met.heirs, ownership);
        }
        if (!death || met_its_end(**death)) {
            ownership.parent_lives = is_creator && claim.is_shared && lives(claim.elders, lineage);
            break;
        }
        ownership.was_left = true;
    }
    ownership.state = Ownership::State::ownerless;
    return ownership;
}

std::vector<ProcessIdentity> elders_from(const ProcessIdentity& parent, const host::ProcFs& procfs) {
    std::vector<ProcessIdentity> elders;
    ProcessIdentity next = parent;
    while (elders.size() < most_elders && !serves_others(next.pid, procfs)) {
        const auto link = procfs.link(next.pid);
        if (!link || link->start_ticks != next.start_ticks) {
            break;
        }
        elders.push_back(next);
        const auto above = procfs.identity(link->parent);
        if (!above) {
            break;
        }
        next = *above;
    }
    return elders;
}

} // namespace egb::lockfile
