// SPDX-License-Identifier: Apache-2.0
// Everything that the bus may ask of the daemon, as plain types. The bus objects translate between this and
// D-Bus; the daemon implements it; contract tests fake it. Runs on the loop; every call is short.
#pragma once

#include "core/decision.hpp"
#include "core/ghost.hpp"
#include "core/kind_info.hpp"
#include "core/quarantine.hpp"
#include "core/result.hpp"
#include "engine/policy.hpp"
#include "host/fd.hpp"
#include "state/state_db.hpp"
#include "trace/filter.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace egb::bus {

/// A ghost as a list shows it.
struct GhostRow {
    GhostPtr ghost;
    WallTime since;                ///< ghost->since, on the wall
    Action action{Action::report}; ///< what the policy would do with it at this moment
};

struct GhostPage {
    std::uint32_t total{}; ///< how many the filter matches, on all pages
    std::vector<GhostRow> rows;
};

/// A kind as it is now: the source of the Kind object's properties.
struct KindStatus {
    const KindInfo* info{};
    bool enabled{};
    std::string trouble; ///< why it does not run, or why it only reports for now; empty when all is well
    engine::KindPolicy policy;
    std::map<std::string, std::string> options; ///< as they would be written in the file
    std::vector<Capability> capabilities;
    std::uint64_t tracked{};
    std::uint64_t suspected{};
    std::uint64_t proven{};
    std::uint64_t lost_events{};
    WallTime last_sweep;
    Span last_sweep_took{};
};

/// The daemon as it is now: the source of the Manager's properties.
struct ManagerStatus {
    std::string version;
    std::string boot_id;
    WallTime started;
    bool paused{};
    bool dry_run{};
    std::string state_trouble;              ///< StateDb::degraded()
    std::vector<std::string> list_troubles; ///< FILE:LINE: reason
    std::uint64_t ghosts{};                 ///< of all kinds, ignored ones excluded
    std::vector<std::string> kinds;
};

class Control {
public:
    virtual ~Control() = default;

    [[nodiscard]] virtual ManagerStatus status() const = 0;
    [[nodiscard]] virtual Result<KindStatus> kind_status(std::string_view kind) const = 0;

    /// Ignored ghosts are on no page. `limit` is at least 1.
    [[nodiscard]] virtual GhostPage list(const GhostFilter& filter, std::uint32_t offset,
                                         std::uint32_t limit) const = 0;
    [[nodiscard]] virtual Result<std::string> describe(GhostId id) const = 0;
    [[nodiscard]] virtual Result<std::string> explain(GhostId id) const = 0;
    [[nodiscard]] virtual Result<std::vector<state::HistoryRow>> history(const state::HistoryFilter& filter,
                                                                         std::uint32_t limit) const = 0;
    /// In the order of ids. `limit` is at least 1.
    [[nodiscard]] virtual Result<QuarantinePage> quarantine(std::uint32_t offset,
                                                            std::uint32_t limit) const = 0;
    /// Who has the file open, the daemon left out. `fd` is a descriptor of ours for it.
    [[nodiscard]] virtual Result<std::vector<Holder>> who_owns(int fd) = 0;
    /// Also who has locked it, and whose it is as the kinds know it: in JSON.
    [[nodiscard]] virtual Result<std::string> owners(int fd) = 0;

    /// `actor` goes into the record. `least` as in engine::CleanRequest. `not_found` when there is no such
    /// ghost.
    [[nodiscard]] virtual Result<Outcome> clean(GhostId id, Grade least, std::string_view actor) = 0;
    [[nodiscard]] virtual Result<> hold(GhostId id, Span span) = 0;
    [[nodiscard]] virtual Result<> ignore(GhostId id, Span span) = 0;
    [[nodiscard]] virtual Result<std::string> restore(GhostId id) = 0;

    /// Sweeps the named kinds, or all when none is named; returns how many ghosts there are then.
    [[nodiscard]] virtual Result<std::uint32_t> scan(const std::vector<std::string>& kinds) = 0;

    /// Sets options of a kind's section; with `persistent` also for the next start.
    enum class Lifetime : std::uint8_t { until_reload, persistent };
    [[nodiscard]] virtual Result<> set_policy(std::string_view kind,
                                              const std::map<std::string, std::string>& options,
                                              Lifetime lifetime) = 0;

    /// A socket with a line for each event of a process that passes the filter. `uid` is who asks; `busy`
    /// when there are as many watchers as there may be.
    [[nodiscard]] virtual Result<host::Fd> watch(const trace::Filter& filter, std::uint32_t uid) = 0;

    /// Stops (or takes up again) every act of the daemon, at once.
    [[nodiscard]] virtual Result<> pause(bool paused) = 0;

    [[nodiscard]] virtual Result<> reload() = 0;
};

} // namespace egb::bus
