// SPDX-License-Identifier: Apache-2.0
// The real Lineage. Its maps outlive the daemon; what the kernel itself knows of the living is listed when
// somebody asks. Owned by the composition root, which takes its events to it; runs on the loop.
#pragma once

#include "bpf/lineage.h"
#include "host/events.hpp"
#include "host/fd_store.hpp"
#include "host/lineage.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

namespace egb::host {

class BpfLineage final : public Lineage {
public:
    BpfLineage(const Clock& clock, const ProcFs& procfs, std::unique_ptr<EventSource> events)
        : clock_{clock}, procfs_{procfs}, events_{std::move(events)} {}

    /// Begins to observe.
    [[nodiscard]] Result<> start();

    /// Where it begins and ends; of no use before start().
    [[nodiscard]] EventSource& events() { return *events_; }

    /// Takes a bounded number of waiting events.
    [[nodiscard]] Result<> drain();

    /// Drops what was kept for who is no more. Whoever is forked from then on is known again.
    [[nodiscard]] Result<> reconcile();

    /// How many entries it keeps: of orphans, and of the dead that have left some.
    [[nodiscard]] std::size_t known() const;

    /// Whether something was missed that reconcile() has not put right.
    [[nodiscard]] bool incomplete() const;

    [[nodiscard]] std::string lack() const override { return lack_; }
    [[nodiscard]] std::uint64_t lost() const override { return lack_.empty() ? events_->lost() : 0; }
    void listen(OnDeath on_death) override { listeners_.push_back(std::move(on_death)); }
    void on_end(OnEnd on_end) override { enders_.push_back(std::move(on_end)); }
    void watch(const ProcessIdentity& process) override;
    [[nodiscard]] Result<std::vector<Unreaped>> unreaped() override;
    [[nodiscard]] Result<std::vector<ProcessIdentity>> heirs(const ProcessIdentity& of,
                                                             Instant since) override;
    [[nodiscard]] Result<std::optional<Death>> death_of(const ProcessIdentity& process) override;
    [[nodiscard]] Result<ProcessIdentity> forker_of(const ProcessIdentity& process) override;
    [[nodiscard]] Result<std::int32_t> session_of(const ProcessIdentity& process) override;
    [[nodiscard]] Result<ProcessIdentity> identity_at(std::int32_t pid, Instant at) override;

private:
    using Processes = std::vector<egb_lineage_process>;
    using Entries = std::vector<egb_lineage_entry>;

    [[nodiscard]] Result<> begin();
    [[nodiscard]] Result<Processes> list(egb_lineage_wanted wanted) const;
    [[nodiscard]] Result<Processes> walk(const egb_lineage_wanted& wanted) const;
    [[nodiscard]] Result<Entries> entries() const;
    [[nodiscard]] Result<> bury_the_missing();
    [[nodiscard]] Result<egb_lineage_since> complete_since() const;
    [[nodiscard]] Result<> be_complete_since(Instant at) const;
    [[nodiscard]] Result<> know_since_its_fork(const ProcessIdentity& process) const;
    [[nodiscard]] Result<> set_complete_since(Instant at);
    [[nodiscard]] Unreaped first_met(const egb_lineage_process& dead, const egb_lineage_since& since) const;
    [[nodiscard]] Result<egb_lineage_query> ask(const ProcessIdentity& process) const;
    [[nodiscard]] Result<std::optional<Death>> death_without_trace(const ProcessIdentity& process) const;
    [[nodiscard]] std::optional<ProcessIdentity> parent_of(const ProcessIdentity& process) const;
    [[nodiscard]] Result<std::optional<ProcessIdentity>> find_pid(std::int32_t pid, Instant at) const;
    [[nodiscard]] ProcessIdentity identity_of(std::uint64_t id) const;

    const Clock& clock_;
    const ProcFs& procfs_;
    std::unique_ptr<EventSource> events_;
    std::vector<OnDeath> listeners_;
    std::vector<OnEnd> enders_;
    std::string lack_{"it has not been started"};
    std::uint64_t lost_{};                   ///< when it was last complete
    bool sees_all_{};                        ///< from the first pid namespace
    std::map<std::uint64_t, Unreaped> dead_; ///< when they were last listed, by id
};

/// Its object, with a place for what outlives the daemon, and room for as many entries.
[[nodiscard]] std::unique_ptr<EventSource> lineage_events(FdStore& store, std::uint32_t room);

/// As many as this machine can have processes, and half as many again: room is taken whether it is needed or
/// not.
[[nodiscard]] std::uint32_t room_for_entries(const ProcFs& procfs);

} // namespace egb::host
