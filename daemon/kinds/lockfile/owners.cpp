// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/owners.hpp"

#include <algorithm>
#include <utility>

namespace egb::lockfile {

namespace {

/// A chain of commands that start commands is not as long, nor that of those who have ended in between.
constexpr std::size_t most_elders = 16;
constexpr std::size_t most_steps = 64;

/// Whether the first of them does, as far as is known.
bool lives(const std::vector<ProcessIdentity>& line, host::Lineage& lineage) {
    const auto death = line.empty() ? std::nullopt : std::optional{lineage.death_of(line.front())};
    return death && *death && !**death;
}

/// Asks the creator, and for as long as each has left it to the next, the elders.
class Search {
public:
    Search(const Claim& claim, host::Lineage& lineage) : claim_{claim}, lineage_{lineage} {}

    [[nodiscard]] Ownership run() {
        bool is_left = leaves_it(claim_.creator, claim_.creator_since);
        for (const ProcessIdentity& elder : claim_.elders.line) {
            is_left = is_left && leaves_it(elder, claim_.since);
        }
        if (is_left) {
            end_with(claim_.elders.line.size() + 2); // with whoever comes after all of them
        }
        return std::move(found_);
    }

private:
    /// Whether the next is to be asked: also where it is not known how one has ended, or who his heirs are.
    /// One of whom neither is known may be there.
    bool leaves_it(const ProcessIdentity& one, Instant since) {
        const bool is_creator = found_.met.empty();
        Met& met = found_.met.emplace_back(one, end_of(one, is_creator));
        if (met.death && !*met.death) {
            return own({met.process});
        }
        auto heirs = lineage_.heirs(met.process, since);
        if (is_creator) {
            note_end_of_creator(met.death, heirs.has_value());
        }
        if (heirs && !heirs->empty()) {
            met.heirs = *std::move(heirs);
            return own(met.heirs);
        }
        is_doubtful_ = is_doubtful_ || !heirs || !met.death;
        if (met.death && !(*met.death)->by_itself()) {
            found_.parent_lives = is_creator && claim_.is_shared && lives(claim_.elders.line, lineage_);
            end_with(found_.met.size());
            return false;
        }
        return met.death || heirs;
    }

    [[nodiscard]] Result<std::optional<host::Death>> end_of(const ProcessIdentity& one, bool is_creator) {
        auto death = lineage_.death_of(one);
        if (!death && is_creator && claim_.end) {
            return claim_.end;
        }
        return death;
    }

    void note_end_of_creator(const Result<std::optional<host::Death>>& death, bool knows_heirs) {
        found_.death = death.value_or(std::nullopt);
        found_.has_ended = death || (death.error().code == ErrorCode::lost && knows_heirs);
    }

    /// False: there is nothing more to ask.
    bool own(std::vector<ProcessIdentity> living) {
        found_.state = Ownership::State::owned;
        found_.living = std::move(living);
        return false;
    }

    /// So many, the creator among them, are dead with all their heirs, and have left it to nobody else.
    void end_with(std::size_t count) {
        const bool may_have_others = claim_.elders.gap != 0 && count > claim_.elders.gap;
        found_.state =
            may_have_others || is_doubtful_ ? Ownership::State::unknown : Ownership::State::ownerless;
    }

    const Claim& claim_;
    host::Lineage& lineage_;
    Ownership found_;
    bool is_doubtful_{};
};

/// The one after the other of those who had a process forked.
class Climb {
public:
    Climb(const Making& making, host::Lineage& lineage, const host::ProcFs& procfs)
        : making_{making}, lineage_{lineage}, procfs_{procfs} {}

    [[nodiscard]] Elders climb() {
        auto next = forker_of(making_.creator);
        for (std::size_t steps = 0; next && !serves_all(*next); ++steps) {
            if (steps == most_steps || found_.line.size() == most_elders) {
                note_gap();
                break;
            }
            if (lived_then(*next)) {
                found_.line.push_back(*next);
            }
            next = is_init_of_container(*next) ? std::nullopt : forker_of(*next);
        }
        add_leader();
        return std::move(found_);
    }

private:
    /// Where it is not known who that was, the parent is a forebear at least: the kernel gives orphans to no
    /// other. There may be some in between, then.
    [[nodiscard]] std::optional<ProcessIdentity> forker_of(const ProcessIdentity& process) {
        if (auto forker = lineage_.forker_of(process)) {
            return *std::move(forker);
        }
        note_gap();
        return process == making_.creator ? making_.parent : parent_of(process);
    }

    [[nodiscard]] std::optional<ProcessIdentity> parent_of(const ProcessIdentity& process) const {
        const auto link = procfs_.link(process.pid);
        if (!link || link->start_ticks != process.start_ticks) {
            return std::nullopt;
        }
        const auto parent = procfs_.identity(link->parent);
        return parent ? std::optional{*parent} : std::nullopt;
    }

    [[nodiscard]] Result<host::ProcessState> state_of(const ProcessIdentity& process) const {
        auto state = procfs_.state(process.pid);
        const bool is_another = state && state->start_ticks != process.start_ticks;
        return is_another ? fail(ErrorCode::not_found, "it is gone") : std::move(state);
    }

    /// PID 1 of the machine, and whoever manages services, of a user or in a container.
    [[nodiscard]] bool serves_all(const ProcessIdentity& process) const {
        const auto state = process.pid > 1 ? state_of(process) : fail(ErrorCode::not_found, "it is init");
        return process.pid <= 1 || (state && state->comm == "systemd");
    }

    /// Mostly it is what the container is there for: the application, or the script that starts it.
    [[nodiscard]] bool is_init_of_container(const ProcessIdentity& process) const {
        const auto state = state_of(process);
        return state && state->is_container_init;
    }

    /// Of whose end nothing is known, that may have been later.
    [[nodiscard]] bool lived_then(const ProcessIdentity& process) const {
        const auto death = lineage_.death_of(process);
        return !death || !*death || (*death)->at >= making_.at;
    }

    /// He has forked all the others of the session, and is among those found but where there is a gap, or one
    /// who serves others. While there is somebody in the session, nobody else gets his pid.
    void add_leader() {
        const auto leader = lineage_.session_of(making_.creator).and_then([this](std::int32_t session) {
            return lineage_.identity_at(session, making_.at);
        });
        if (leader && *leader != making_.creator && !serves_all(*leader) &&
            !std::ranges::contains(found_.line, *leader)) {
            found_.line.push_back(*leader);
        }
    }

    void note_gap() {
        const auto known = static_cast<std::uint16_t>(found_.line.size() + 1);
        found_.gap = found_.gap == 0 ? known : found_.gap;
    }

    const Making& making_;
    host::Lineage& lineage_;
    const host::ProcFs& procfs_;
    Elders found_;
};

} // namespace

/// A creator who was killed meant to come back to it. One who has exited has left it to whoever has started
/// him, and those are asked one after the other, for as long as each has exited, too. Whoever the creator had
/// forked before may share its work: a pool of workers is older than the lock around what they do.
Ownership ownership_of(const Claim& claim, host::Lineage& lineage) {
    return Search{claim, lineage}.run();
}

Elders elders_of(const Making& making, host::Lineage& lineage, const host::ProcFs& procfs) {
    return Climb{making, lineage, procfs}.climb();
}

} // namespace egb::lockfile
