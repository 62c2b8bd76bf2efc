// SPDX-License-Identifier: Apache-2.0
// The real Lineage. Its maps outlive the daemon; what was missed is put right from /proc. Owned by the
// composition root, which takes its events to it; runs on the loop.
#pragma once

#include "bpf/lineage.h"
#include "host/events.hpp"
#include "host/fd_store.hpp"
#include "host/lineage.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace egb::host {

class BpfLineage final : public Lineage {
public:
    BpfLineage(const Clock& clock, const ProcFs& procfs, std::unique_ptr<EventSource> events)
        : clock_{clock}, procfs_{procfs}, events_{std::move(events)} {}

    /// Begins to observe, and takes in who is there already.
    [[nodiscard]] Result<> start();

    /// Where it begins and ends; of no use before start().
    [[nodiscard]] EventSource& events() { return *events_; }

    /// Takes a bounded number of waiting events.
    [[nodiscard]] Result<> drain();

    /// Takes in whoever was missed, and drops who is no more. From then on it is complete again.
    [[nodiscard]] Result<> reconcile();

    /// How many processes it knows: those that live, those that nobody has waited for, and dead ancestors.
    [[nodiscard]] std::size_t known() const;

    /// Whether something was missed that reconcile() has not put right.
    [[nodiscard]] bool incomplete() const;

    [[nodiscard]] std::string lack() const override { return lack_; }
    [[nodiscard]] std::uint64_t lost() const override { return lack_.empty() ? events_->lost() : 0; }
    void listen(OnDeath on_death) override { listeners_.push_back(std::move(on_death)); }
    [[nodiscard]] Result<std::vector<Unreaped>> unreaped() override;
    [[nodiscard]] Result<std::vector<ProcessIdentity>> heirs(const ProcessIdentity& of,
                                                             Instant since) override;
    [[nodiscard]] Result<std::optional<Death>> death_of(const ProcessIdentity& process) override;

private:
    using Processes = std::vector<egb_lineage_process>;

    [[nodiscard]] Result<Processes> list(std::string_view program) const;
    [[nodiscard]] Result<> adopt_all();
    [[nodiscard]] Result<> bury_the_missing();
    [[nodiscard]] Result<> be_complete_since(Instant at) const;
    [[nodiscard]] Result<> set_complete_since(Instant at);
    enum class Known : std::uint8_t { has_entry, lives, is_no_more };
    [[nodiscard]] Result<Known> look_up(const ProcessIdentity& process);
    [[nodiscard]] Result<bool> is_there(const ProcessIdentity& process) const;
    [[nodiscard]] ProcessIdentity identity_of(std::uint64_t id) const;

    const Clock& clock_;
    const ProcFs& procfs_;
    std::unique_ptr<EventSource> events_;
    std::vector<OnDeath> listeners_;
    std::string lack_{"it has not been started"};
    std::uint64_t lost_{}; ///< when it was last complete
};

/// Its object, with a place for what outlives the daemon, and room for as many processes.
[[nodiscard]] std::unique_ptr<EventSource> lineage_events(FdStore& store, std::uint32_t room);

/// As many as this machine can have, and half as many again: room is taken whether it is needed or not.
[[nodiscard]] std::uint32_t room_for_processes(const ProcFs& procfs);

} // namespace egb::host
