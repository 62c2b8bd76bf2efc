// SPDX-License-Identifier: Apache-2.0
// From records of waiting sockets to ghosts.
//
// The kernel side keeps the clocks (bpf/tcp.bpf.c marks each socket), so a sweep's record says all there is
// to know, and a tracker that was born a moment ago judges like one that has been watching for a month.
#pragma once

#include "core/option.hpp"
#include "core/tracker.hpp"

#include "bpf/tcp.h"

#include <cstdint>
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

class TcpTracker final : public Tracker {
public:
    TcpTracker() = default;

    /// Counts from the next sweep on.
    void set_thresholds(const Thresholds& thresholds) { thresholds_ = thresholds; }

    void observe(const Sighting& sighting) override;
    [[nodiscard]] Changes tick(Instant now) override;
    [[nodiscard]] std::optional<Instant> deadline() const override { return deadline_; }
    [[nodiscard]] std::size_t tracked() const override { return sockets_.size(); }
    [[nodiscard]] Fields describe(std::string_view key) const override;

    /// Whether the search for holders sees all there are. If not, having found none says nothing.
    void trust_holders(bool all_seen) { sees_all_holders_ = all_seen; }

    /// Whether the sweep under way has met a socket whose holders are worth a look.
    [[nodiscard]] bool wants_holders() const { return met_overdue_; }

private:
    struct Socket {
        egb_tcp_socket record{};
        std::vector<Holder> holders; ///< as last told
        std::vector<Holder> found;   ///< by the sweep under way
        bool met{};                  ///< by the sweep under way
        unsigned missed{};           ///< sweeps in a row that have not met it
        unsigned told{}; ///< the traits of the verdict that is in the ledger; 0 when there is none
    };

    void see(const Sighting& sighting);
    void hold(const Sighting& sighting);
    void lose(const Sighting& sighting);
    void begin_sweep();
    void end_sweep(Instant at);
    void judge(Socket& socket);
    void drop_unmet();
    [[nodiscard]] unsigned traits_of(const Socket& socket) const;
    void wake_by(Instant at);
    [[nodiscard]] bool is_overdue(const egb_tcp_socket& record) const;
    [[nodiscard]] Instant next_look(const Socket& socket, Instant now) const;

    Thresholds thresholds_;
    std::unordered_map<std::uint64_t, Socket> sockets_; ///< by cookie
    bool met_overdue_{};
    bool sees_all_holders_{true};
    std::optional<Instant> deadline_;
    Changes changes_;
};

} // namespace egb::tcp
