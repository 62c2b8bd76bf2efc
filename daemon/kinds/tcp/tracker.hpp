// SPDX-License-Identifier: Apache-2.0
// From records of waiting sockets to ghosts.
//
// The kernel side keeps the clocks (bpf/tcp.bpf.c marks each socket), so a sweep's record says all there is
// to know, and a tracker that was born a moment ago judges like one that has been watching for a month.
#pragma once

#include "core/option.hpp"
#include "core/tracker.hpp"
#include "kinds/tcp/found_holders.hpp"
#include "kinds/tcp/leaks.hpp"
#include "kinds/tcp/record.hpp"
#include "kinds/tcp/scope.hpp"

#include "bpf/tcp.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace egb::tcp {

/// How long each state may last, untouched, before it is suspicious. Zero: for ever.
struct Thresholds {
    Span close_wait{};
    Span fin_wait2{};
    Span last_ack{};

    [[nodiscard]] Span of(std::uint8_t state) const;
    /// The shortest that is not zero; zero when all are.
    [[nodiscard]] Span shortest() const;

    bool operator==(const Thresholds&) const = default;
};

/// As the section [tcp] has them.
[[nodiscard]] Thresholds thresholds_of(const OptionValues& section);

/// What the kind can do to a socket, by configuration and by what this kernel lets it.
struct Means {
    bool nudge{};
    bool destroy{};

    bool operator==(const Means&) const = default;
};

class TcpTracker final : public Tracker {
public:
    TcpTracker() = default;

    /// Counts from the next sweep on.
    void set_thresholds(const Thresholds& thresholds) { thresholds_ = thresholds; }

    /// Counts from the next verdict on.
    void set_means(Means means) { means_ = means; }

    /// How many stuck sockets of one process are a leak; 0: none are. Counts from the next sweep on.
    void set_leak_after(std::uint64_t sockets) { leaks_.set_after(sockets); }

    /// How soon the descriptors of a leaking process must run out for something to be done to its unit;
    /// nothing: none ever is. Counts from the next sweep on.
    void set_ripe_within(std::optional<Span> span) {
        unit_acts_ = span.has_value();
        leaks_.set_ripe_within(span);
    }

    /// Counts from the next verdict on.
    void set_bounds(Bounds bounds) { bounds_ = std::move(bounds); }

    void observe(const Sighting& sighting) override;
    [[nodiscard]] Changes tick(Instant now) override;
    [[nodiscard]] std::optional<Instant> deadline() const override { return deadline_; }
    [[nodiscard]] std::size_t tracked() const override { return sockets_.size(); }
    [[nodiscard]] Facts facts(std::string_view key) const override;

    /// Whether the search for holders sees all there are. If not, having found none says nothing.
    void trust_holders(bool all_seen) { sees_all_holders_ = all_seen; }

    /// Whether the sweep under way has met a socket whose holders are worth a look.
    [[nodiscard]] bool wants_holders() const { return met_overdue_; }

    /// The sweep under way sees nothing that no process holds.
    void look_only_at_held() { only_held_ = true; }

    /// Ports that the other ends of sockets on this machine have, by the inode of the network namespace to
    /// look in. Only of sockets that this sweep has met, that have waited for a while, and of which it is not
    /// known; and not too often.
    [[nodiscard]] std::map<std::uint32_t, egb_tcp_peer_ports> wanted_peers(Instant now);

    /// Processes that hold so many stuck sockets that their descriptors are worth a look: to be told of
    /// before the sweep under way ends, and after all that it finds of sockets.
    [[nodiscard]] std::vector<ProcessPtr> leaking() { return leaks_.owners_in(end_search()); }

    /// Whether the last sweep has left a ghost, of whose end is to be told.
    [[nodiscard]] bool has_ghosts() const { return has_ghosts_; }

    /// Whether it is a ghost at this moment.
    [[nodiscard]] bool is_told(std::uint64_t cookie) const;

    /// The socket behind a ghost, as it was when it was judged; nullptr when it is no more. Until the tracker
    /// is told of something else.
    [[nodiscard]] const egb_tcp_socket* find(std::string_view key) const;

    /// The process that a summary is about; nothing when the key is not one of those.
    [[nodiscard]] ProcessPtr leaking_owner(std::string_view key) const { return leaks_.owner_of(key); }
    [[nodiscard]] std::optional<std::uint64_t> open_files_of(const Process& leaking) const {
        return leaks_.open_files_of(leaking);
    }
    void note_unit_asked(const Process& leaking, Instant at) { leaks_.note_asked(leaking, at); }

    /// A ghost turned out not to be what was judged: look soon, and if it is still there tell it anew.
    void look_again(std::string_view key, Instant now);

private:
    struct Socket {
        egb_tcp_socket record{};
        std::uint32_t met{};           ///< the last sweep that has met it
        unsigned missed{};             ///< sweeps in a row that have not met it
        Instant asked{};               ///< when its peer was asked; the epoch while it is not being asked
        Instant answered{};            ///< when its peer last answered; the epoch when it never did
        Instant answer_told{};         ///< as last told
        Instant peer_looked{};         ///< when its peer was last looked for on this machine
        unsigned peer_traits{};        ///< what that has proved; it stays proved
        std::vector<Holder> holders{}; ///< as last told
        unsigned told{};  ///< the traits of the verdict that is in the ledger; 0 when there is none
        bool tell_anew{}; ///< whatever was told
    };

    void see(const Sighting& sighting);
    void see_socket(const Sighting& sighting);
    void see_peer(const Sighting& sighting);
    void note(const Sighting& sighting);
    void hold(const Sighting& sighting);
    void lose(const Sighting& sighting);
    void begin_sweep();
    void end_sweep(Instant at);
    void judge(Socket& socket);
    void look_for_peer(Socket& socket) const;
    [[nodiscard]] Ghost ghost_of(const Socket& socket, unsigned traits) const;
    void drop_unmet();
    void forget_sweep();
    [[nodiscard]] unsigned traits_of(const Socket& socket, std::span<const Holder> holders) const;
    [[nodiscard]] bool is_met(const Socket& socket) const { return socket.met == sweep_; }
    /// As this sweep has found, or as was last told of those it has missed.
    [[nodiscard]] std::span<const Holder> holders_of(const Socket& socket) const;
    const Leaks::Tally& end_search();
    [[nodiscard]] Leaks::Tally count_stuck() const;
    void lose_from_leak(const Socket& socket, const egb_tcp_end& end, Instant at);
    void wake_by(Instant at);
    [[nodiscard]] bool is_overdue(const egb_tcp_socket& record) const;
    [[nodiscard]] std::optional<Instant> early_peer_look(const Socket& socket) const;
    [[nodiscard]] bool wants_peer(const Socket& socket, Instant now) const;
    [[nodiscard]] Instant next_look(const Socket& socket, Instant now) const;

    Thresholds thresholds_;
    std::unordered_map<std::uint64_t, Socket> sockets_; ///< by cookie
    FoundHolders found_;                                ///< by the sweep under way
    std::vector<ConnectionEnd> left_;                   ///< what no process has any more, of this sweep
    std::optional<Leaks::Tally> tally_;                 ///< of this sweep, once its search is over
    Leaks leaks_;
    Means means_;
    Bounds bounds_;
    bool unit_acts_{};      ///< units may be seen to, so bounds count for a leak as a whole
    std::uint32_t sweep_{}; ///< the one under way, or the last
    bool met_overdue_{};
    std::size_t met_untold_{}; ///< overdue ones that are to be told; by the sweep under way
    bool only_held_{};         ///< in the sweep under way
    bool has_ghosts_{};        ///< after the last sweep
    bool sees_all_holders_{true};
    Instant peers_looked_{}; ///< when peers were last looked for
    std::optional<Instant> deadline_;
    Changes changes_;
};

} // namespace egb::tcp
