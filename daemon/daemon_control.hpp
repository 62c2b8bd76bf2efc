// SPDX-License-Identifier: Apache-2.0
// What the bus may ask, answered by the parts of the daemon. Who may ask is the bus's business.
// Owned by the daemon, runs on its loop.
#pragma once

#include "bus/control.hpp"
#include "configurator.hpp"
#include "engine/governor.hpp"
#include "engine/ledger.hpp"
#include "engine/pipeline.hpp"
#include "engine/render.hpp"
#include "host/holder_scan.hpp"
#include "host/procfs.hpp"
#include "kind_runner.hpp"
#include "restorer.hpp"
#include "state/state_db.hpp"
#include "trace/trace.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace egb {

class DaemonControl final : public bus::Control {
public:
    /// All of them outlive it.
    struct Parts {
        const Clock& clock;
        Configurator& configurator;
        KindRunners& runners;
        engine::Governor& governor;
        engine::Ledger& ledger;
        engine::Pipeline& pipeline;
        state::StateDb& state;
        Restorer& restorer;
        host::HolderScan& holder_scan;
        const host::ProcFs& procfs;
        trace::Trace& trace;
    };

    /// What stays as it was at the start.
    struct Constants {
        std::string version;
        std::string boot_id;
        WallTime started;
        bool dry_run{};
    };

    /// What it cannot do by itself.
    struct Hooks {
        std::function<void()> advance; ///< something has changed: tick, tell, and set the timers anew
        std::function<void()> rearm;   ///< the same, once the loop is free: not in the midst of a request
        std::function<Result<>()> reload;
    };

    DaemonControl(const Parts& parts, Constants constants, Hooks hooks);

    [[nodiscard]] bus::ManagerStatus status() const override;
    [[nodiscard]] Result<bus::KindStatus> kind_status(std::string_view kind) const override;
    [[nodiscard]] bus::GhostPage list(const GhostFilter& filter, std::uint32_t offset,
                                      std::uint32_t limit) const override;
    [[nodiscard]] Result<std::string> describe(GhostId id) const override;
    [[nodiscard]] Result<std::string> explain(GhostId id) const override;
    [[nodiscard]] Result<std::vector<state::HistoryRow>> history(const state::HistoryFilter& filter,
                                                                 std::uint32_t limit) const override;
    [[nodiscard]] Result<QuarantinePage> quarantine(std::uint32_t offset, std::uint32_t limit) const override;
    [[nodiscard]] Result<std::vector<Holder>> who_owns(int fd) override;
    [[nodiscard]] Result<std::string> owners(int fd) override;
    [[nodiscard]] Result<Outcome> clean(GhostId id, Grade least, std::string_view actor) override;
    [[nodiscard]] Result<> hold(GhostId id, Span span) override;
    [[nodiscard]] Result<> ignore(GhostId id, Span span) override;
    [[nodiscard]] Result<std::string> restore(GhostId id) override;
    [[nodiscard]] Result<std::uint32_t> scan(const std::vector<std::string>& kinds) override;
    [[nodiscard]] Result<> set_policy(std::string_view kind,
                                      const std::map<std::string, std::string>& options,
                                      Lifetime lifetime) override;
    [[nodiscard]] Result<host::Fd> watch(const trace::Filter& filter, std::uint32_t uid) override;
    [[nodiscard]] Result<> pause(bool paused) override;
    [[nodiscard]] Result<> reload() override;

    /// The kind's own facts about a ghost; none when it is no longer there.
    [[nodiscard]] Facts facts(const Ghost& ghost) const;

    /// Hands the configuration's limits to the governor. A pause that a person asked for outlasts them: acts
    /// are taken up again by a person, too.
    void limit_acts();

    /// Goes by what the state has kept of that, and of holds. As long as nobody knows, everything is paused:
    /// then the failure says why.
    Result<> recall_decisions();

private:
    [[nodiscard]] Result<KindRunner*> runner(std::string_view kind) const;
    [[nodiscard]] Result<GhostPtr> ghost(GhostId id) const;
    void add_claims(FileOwners& owners, const AskedFile& file) const;
    [[nodiscard]] engine::Kinship kinship(const Ghost& ghost) const;

    Parts parts_;
    Constants constants_;
    Hooks hooks_;
    bool pause_asked_{true}; ///< by a person, or because it is not known whether one has
};

} // namespace egb
