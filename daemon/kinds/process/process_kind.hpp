// SPDX-License-Identifier: Apache-2.0
// Looks for the dead, with the lineage's help, and carries what it finds to the tracker.
#pragma once

#include "core/kind.hpp"
#include "host/process_lookup.hpp"
#include "host/surroundings.hpp"
#include "kinds/process/cleaner.hpp"
#include "kinds/process/tracker.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace egb::process {

class ProcessKind final : public Kind {
public:
    explicit ProcessKind(const host::Surroundings& surroundings)
        : surroundings_{surroundings}, cleaner_{surroundings, tracker_} {}

    [[nodiscard]] const KindInfo& info() const override;
    void configure(const OptionValues& options) override;
    [[nodiscard]] Result<> start() override;
    [[nodiscard]] std::vector<Capability> capabilities() const override;
    /// Its events are the lineage's, which calls.
    [[nodiscard]] int event_fd() const override { return -1; }
    [[nodiscard]] Result<bool> drain() override { return false; }
    [[nodiscard]] Result<> sweep(SweepReason reason) override;
    [[nodiscard]] std::uint64_t lost() const override { return surroundings_.lineage.lost(); }
    [[nodiscard]] Result<> provoke_canary() override { return {}; }
    [[nodiscard]] std::uint64_t canaries() const override { return 0; }
    [[nodiscard]] Tracker& tracker() override { return tracker_; }
    [[nodiscard]] const Tracker& tracker() const override { return tracker_; }
    [[nodiscard]] Cleaner* cleaner() override { return &cleaner_; }

private:
    void on_death();
    void tell_zombie(const host::Unreaped& dead, host::ProcessLookup& lookup);
    void tell_parent(const Process& parent);
    void tell_if_ended(const ProcessIdentity& parent);
    void tell(SightingType type, Source source, std::span<const std::byte> record = {},
              ProcessPtr process = {});

    host::Surroundings surroundings_;
    ZombieTracker tracker_;
    ParentCleaner cleaner_;
    std::set<ProcessPtr> parents_; ///< of those that the sweep under way has met
    Span after_{};
    bool restarts_{};
};

} // namespace egb::process
