// SPDX-License-Identifier: Apache-2.0
// Drives the kernel side of `tcp` and carries its records to the tracker.
#pragma once

#include "core/kind.hpp"
#include "host/events.hpp"
#include "host/halves.hpp"
#include "host/process_lookup.hpp"
#include "host/surroundings.hpp"
#include "kinds/tcp/cleaner.hpp"
#include "kinds/tcp/tracker.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egb::tcp {

class TcpKind final : public Kind {
public:
    TcpKind(const host::Surroundings& surroundings, std::unique_ptr<host::EventSource> events)
        : surroundings_{surroundings}, events_{std::move(events)}, cleaner_{surroundings, tracker_} {}
    /// Sockets that are being asked get their own options back: nobody would see to it later. And the kernel
    /// side learns that nobody looks any more.
    ~TcpKind() override;
    TcpKind(const TcpKind&) = delete;
    TcpKind& operator=(const TcpKind&) = delete;

    /// Programs without which there is less to see, but something.
    [[nodiscard]] static std::span<const std::string_view> optional_programs();

    /// Programs that are there only while they have something to tell.
    [[nodiscard]] static std::span<const std::string_view> suspendable_programs();

    [[nodiscard]] const KindInfo& info() const override;
    void configure(const OptionValues& options) override;
    [[nodiscard]] Result<> start() override;
    [[nodiscard]] std::vector<Capability> capabilities() const override;
    [[nodiscard]] int event_fd() const override { return events_->poll_fd(); }
    [[nodiscard]] Result<bool> drain() override;
    [[nodiscard]] Result<> sweep(SweepReason reason) override;
    [[nodiscard]] std::uint64_t lost() const override { return events_->lost(); }
    [[nodiscard]] Result<> provoke_canary() override { return events_->provoke_canary(); }
    [[nodiscard]] std::uint64_t canaries() const override { return events_->canaries(); }
    [[nodiscard]] Tracker& tracker() override { return tracker_; }
    [[nodiscard]] const Tracker& tracker() const override { return tracker_; }
    [[nodiscard]] Cleaner* cleaner() override { return &cleaner_; }

private:
    [[nodiscard]] Result<> begin_sweep();
    [[nodiscard]] Result<> look_at_sockets(SweepReason reason);
    [[nodiscard]] Result<> look_into_namespaces();
    void look_for_peers();
    [[nodiscard]] Result<> look_for_peers_in(const egb_tcp_peer_ports& ports);
    void look_for_answers(SweepReason reason);
    void look_at_leaking_owners();
    [[nodiscard]] Result<> hear_of_ends();
    [[nodiscard]] Result<bool> take_events();
    void suspend_what_has_told_all();
    void leave_word_for_the_next();
    [[nodiscard]] egb_tcp_first first_waiting() const;
    void see(host::EventSource::Record record);
    [[nodiscard]] Result<> list(std::string_view program, std::size_t record_size);
    [[nodiscard]] Result<> list_connections(const host::Halves& listing, std::size_t record_size);
    [[nodiscard]] host::EventSource::OnRecord told();
    void use_means();
    [[nodiscard]] Result<> look_for_holders();
    [[nodiscard]] Result<> ask_processes(host::ProcessLookup& lookup);
    [[nodiscard]] Result<> read_held(egb_tcp_held_list& list) const;
    void tell_holder(const egb_tcp_holder& holder, host::ProcessLookup& lookup);
    [[nodiscard]] Sighting sighting(SightingType type, Source source) const;

    host::Surroundings surroundings_;
    std::unique_ptr<host::EventSource> events_;
    TcpTracker tracker_;
    TcpCleaner cleaner_;
    Thresholds thresholds_;
    Means wanted_; ///< by configuration
    host::NudgeTiming timing_;
    host::Ability nudging_;
    host::Ability destroying_;
    std::optional<UnitRemedy> remedy_;
    bool attached_{};
    bool swept_{};             ///< the last sweep has looked at all
    bool listed_by_kernel_{};  ///< iter/task_file shows the descriptors of this machine's processes
    std::string not_asked_;    ///< why holders cannot be looked for; empty when they can
    std::string not_entered_;  ///< why sockets of some network namespaces are missing; empty when none are
    Instant thorough_;         ///< when all network namespaces are to be looked into again
    bool asks_{};              ///< sockets may be under question
    std::string not_looked_;   ///< why peers on this machine may not be found; empty when they can
    std::size_t namespaces_{}; ///< entered by the last sweep
};

} // namespace egb::tcp
