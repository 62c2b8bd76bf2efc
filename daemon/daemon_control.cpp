// SPDX-License-Identifier: Apache-2.0
#include "daemon_control.hpp"

#include "host/file_reading.hpp"
#include "host/kernel_locks.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <span>
#include <utility>

namespace egb {

namespace {

/// Who may have died meanwhile keeps his pid, and nothing else.
ProcessPtr process_of(std::int32_t pid, std::span<const Holder> holders, const host::ProcFs& procfs) {
    if (pid == 0) {
        return nullptr;
    }
    const auto holder = std::ranges::find_if(holders, [pid](const Holder& one) {
        return one.process->id.pid == pid;
    });
    if (holder != holders.end()) {
        return holder->process;
    }
    Process unknown;
    unknown.id.pid = pid;
    unknown.known = false;
    return std::make_shared<const Process>(procfs.process(pid).value_or(std::move(unknown)));
}

Result<std::vector<AdvisoryLock>> advisory_locks(const host::ProcFs& procfs, int fd,
                                                 std::span<const Holder> holders) {
    const auto found = host::locks_by_number(procfs, fd, holders);
    if (!found) {
        return std::unexpected(found.error());
    }
    std::vector<AdvisoryLock> locks;
    for (const host::KernelLock& lock : *found) {
        locks.push_back({.type = lock.type,
                         .access = lock.access,
                         .holder = process_of(lock.pid, holders, procfs),
                         .waits = lock.waits});
    }
    return locks;
}

/// A lease is no lock, and who waits has none.
bool is_held_lock(const AdvisoryLock& lock) {
    return !lock.waits && lock.type != "LEASE" && lock.type != "DELEG";
}

} // namespace

DaemonControl::DaemonControl(const Parts& parts, Constants constants, Hooks hooks)
    : parts_{parts}, constants_{std::move(constants)}, hooks_{std::move(hooks)} {}

Result<> DaemonControl::recall_decisions() {
    auto holds = parts_.state.holds();
    pause_asked_ = !holds || std::ranges::any_of(*holds, &engine::Hold::of_all);
    limit_acts();
    return std::move(holds).transform([this](std::vector<engine::Hold> known) {
        parts_.pipeline.recall(std::move(known));
    });
}

bus::ManagerStatus DaemonControl::status() const {
    bus::ManagerStatus status{.version = constants_.version,
                              .boot_id = constants_.boot_id,
                              .started = constants_.started,
                              .paused = parts_.governor.limits().paused,
                              .dry_run = constants_.dry_run,
                              .state_trouble = parts_.state.degraded(),
                              .list_troubles = parts_.configurator.mistakes(),
                              .ghosts = 0,
                              .kinds = {}};
    for (const auto& runner : parts_.runners) {
        const std::string_view kind = runner->info().name;
        status.kinds.emplace_back(kind);
        status.ghosts +=
            parts_.ledger.count(kind, Grade::suspected) + parts_.ledger.count(kind, Grade::proven);
    }
    return status;
}

Result<bus::KindStatus> DaemonControl::kind_status(std::string_view kind) const {
    return runner(kind).transform([&](const KindRunner* runner) {
        auto status = runner->status();
        status.suspected = parts_.ledger.count(kind, Grade::suspected);
        status.proven = parts_.ledger.count(kind, Grade::proven);
        return status;
    });
}

bus::GhostPage DaemonControl::list(const GhostFilter& filter, std::uint32_t offset,
                                   std::uint32_t limit) const {
    const Instant now = parts_.clock.now();
    const GhostPtr summary = parts_.ledger.find(filter.group);
    bus::GhostPage page;
    for (const auto& [id, ghost] : parts_.ledger.ghosts()) {
        if (parts_.ledger.hidden(id) || !filter.matches(*ghost, now)) {
            continue;
        }
        if (filter.group != 0 && (!summary || !is_member(*ghost, *summary))) {
            continue;
        }
        if (page.total >= offset && page.rows.size() < limit) {
            page.rows.push_back({.ghost = ghost,
                                 .since = parts_.clock.wall(ghost->since),
                                 .action = parts_.pipeline.decision(*ghost).action});
        }
        ++page.total;
    }
    return page;
}

Result<std::string> DaemonControl::describe(GhostId id) const {
    return ghost(id).transform([this](const GhostPtr& ghost) {
        return engine::to_json(*ghost, facts(*ghost)(), parts_.pipeline.decision(*ghost), kinship(*ghost),
                               parts_.clock);
    });
}

Result<std::string> DaemonControl::explain(GhostId id) const {
    return ghost(id).transform([this](const GhostPtr& ghost) {
        return engine::explain(*ghost, facts(*ghost)(), parts_.pipeline.decision(*ghost), parts_.clock);
    });
}

Result<std::vector<state::HistoryRow>> DaemonControl::history(const state::HistoryFilter& filter,
                                                              std::uint32_t limit) const {
    return parts_.state.history(filter, limit);
}

Result<QuarantinePage> DaemonControl::quarantine(std::uint32_t offset, std::uint32_t limit) const {
    return parts_.state.quarantined(offset, limit);
}

Result<std::vector<Holder>> DaemonControl::who_owns(int fd) {
    return parts_.holder_scan.outsiders(fd);
}

Result<std::string> DaemonControl::owners(int fd) {
    auto holders = who_owns(fd);
    if (!holders) {
        return std::unexpected(holders.error());
    }
    auto locks = advisory_locks(parts_.procfs, fd, *holders);
    if (!locks) {
        return std::unexpected(locks.error());
    }
    FileOwners owners{.holders = *std::move(holders), .locks = *std::move(locks)};
    if (auto file = host::asked_file(fd)) {
        file->is_locked = std::ranges::any_of(owners.locks, is_held_lock);
        std::ranges::transform(owners.holders, std::back_inserter(file->holders), [](const Holder& holder) {
            return holder.process->id.pid;
        });
        add_claims(owners, *file);
    }
    return engine::to_json(owners, parts_.clock);
}

void DaemonControl::add_claims(FileOwners& owners, const AskedFile& file) const {
    for (const auto& runner : parts_.runners) {
        if (!runner->running()) {
            continue;
        }
        runner->catch_up();
        if (auto claim = runner->kind().owners_of(file.id)) {
            const auto ghost = parts_.ledger.find(runner->info().name, claim->key);
            claim->ghost = ghost ? ghost->id : 0;
            owners.claims.push_back(*std::move(claim));
        } else if (auto disclaimer = runner->kind().why_not(file)) {
            owners.unclaimed.push_back(*std::move(disclaimer));
        }
    }
}

Result<Outcome> DaemonControl::clean(GhostId id, Grade least, std::string_view actor) {
    return ghost(id).transform([&](const GhostPtr&) {
        auto outcome = parts_.pipeline.clean(id, {.actor = std::string{actor}, .least = least});
        hooks_.advance();
        return outcome;
    });
}

Result<> DaemonControl::hold(GhostId id, Span span) {
    auto held = parts_.pipeline.hold(id, span);
    hooks_.rearm(); // a tick now could act on the next ghost of the same request
    return held;
}

Result<> DaemonControl::ignore(GhostId id, Span span) {
    auto ignored = parts_.pipeline.ignore(id, span);
    hooks_.rearm();
    return ignored;
}

/// A kind may have a quarantine of its own.
Result<std::string> DaemonControl::restore(GhostId id) {
    auto from_state = parts_.restorer.restore(id);
    if (from_state || from_state.error().code != ErrorCode::not_found) {
        return from_state;
    }
    for (const auto& runner : parts_.runners) {
        Cleaner* cleaner = runner->running() ? runner->kind().cleaner() : nullptr;
        if (cleaner == nullptr) {
            continue;
        }
        auto restored = cleaner->restore(id);
        const bool not_its_own = !restored && (restored.error().code == ErrorCode::not_found ||
                                               restored.error().code == ErrorCode::unsupported);
        if (!not_its_own) {
            return restored;
        }
    }
    return from_state;
}

Result<std::uint32_t> DaemonControl::scan(const std::vector<std::string>& kinds) {
    std::vector<KindRunner*> wanted;
    for (const auto& kind : kinds) {
        const auto named = runner(kind);
        if (!named) {
            return std::unexpected(named.error());
        }
        wanted.push_back(*named);
    }
    if (kinds.empty()) {
        for (const auto& each : parts_.runners) {
            if (each->running()) {
                wanted.push_back(each.get());
            }
        }
    }
    Result<> swept;
    for (KindRunner* each : wanted) {
        // One kind's failure is no reason to leave the others as they are.
        if (auto done = each->sweep(SweepReason::request); !done && swept) {
            swept = std::move(done);
        }
    }
    hooks_.advance();
    return swept.transform([this] {
        return static_cast<std::uint32_t>(status().ghosts);
    });
}

Result<> DaemonControl::set_policy(std::string_view kind, const std::map<std::string, std::string>& options,
                                   Lifetime lifetime) {
    if (const auto known = runner(kind); !known) {
        return std::unexpected(known.error());
    }
    auto set = parts_.configurator.set(kind, options, lifetime);
    hooks_.advance();
    return set;
}

Result<host::Fd> DaemonControl::watch(const trace::Filter& filter, std::uint32_t uid) {
    return parts_.trace.watch(filter, uid);
}

Result<> DaemonControl::pause(bool paused) {
    pause_asked_ = paused;
    parts_.state.keep({.until = paused ? end_of_time : Instant{}});
    auto limits = parts_.governor.limits();
    limits.paused = paused;
    parts_.governor.set_limits(std::move(limits));
    hooks_.advance();
    return {};
}

Result<> DaemonControl::reload() {
    return hooks_.reload();
}

Facts DaemonControl::facts(const Ghost& ghost) const {
    const KindRunner* runner = parts_.runners.find(ghost.kind->name);
    return runner == nullptr ? Facts{[] {
        return Fields{};
    }}
                             : runner->kind().tracker().facts(ghost.key);
}

void DaemonControl::limit_acts() {
    auto limits = engine::governor_limits(parts_.configurator.governor());
    limits.paused = limits.paused || pause_asked_;
    parts_.governor.set_limits(std::move(limits));
}

Result<KindRunner*> DaemonControl::runner(std::string_view kind) const {
    if (KindRunner* runner = parts_.runners.find(kind)) {
        return runner;
    }
    return fail(ErrorCode::not_found, "there is no kind \"{}\"", kind);
}

engine::Kinship DaemonControl::kinship(const Ghost& ghost) const {
    engine::Kinship kinship;
    if (!ghost.group.empty()) {
        // A member stands for nobody, so that to describe them one by one does not count them all each time.
        if (const auto summary = parts_.ledger.find(ghost.kind->name, ghost.group)) {
            kinship.group = summary->id;
        }
        return kinship;
    }
    for (const auto& [id, other] : parts_.ledger.ghosts()) {
        kinship.members += !parts_.ledger.hidden(id) && is_member(*other, ghost) ? 1U : 0U;
    }
    return kinship;
}

Result<GhostPtr> DaemonControl::ghost(GhostId id) const {
    if (auto ghost = parts_.ledger.find(id)) {
        return ghost;
    }
    return fail(ErrorCode::not_found, "there is no ghost {}, or no longer", id);
}

} // namespace egb
