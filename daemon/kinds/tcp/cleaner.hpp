// SPDX-License-Identifier: Apache-2.0
// Lays sockets to rest: first the nudge, which asks the peer, then the end. Both by cookie, and only while
// the socket is what the tracker judged.
#pragma once

#include "core/cleaner.hpp"
#include "host/surroundings.hpp"
#include "kinds/tcp/tracker.hpp"

#include <optional>
#include <utility>

namespace egb::tcp {

[[nodiscard]] host::SocketTarget target_of(const egb_tcp_socket& record);

/// What is done to the unit of a process whose descriptors run out.
struct UnitRemedy {
    host::UnitAct act{};
    Span every{};
};

class TcpCleaner final : public Cleaner {
public:
    TcpCleaner(const host::Surroundings& surroundings, TcpTracker& tracker)
        : surroundings_{surroundings}, tracker_{tracker} {}

    void set_means(Means means, host::NudgeTiming timing) {
        means_ = means;
        timing_ = timing;
    }

    void set_remedy(std::optional<UnitRemedy> remedy) { remedy_ = remedy; }

    [[nodiscard]] Result<> confirm(const Ghost& ghost) override;
    /// Where sockets must not be destroyed, the nudge is all that is done.
    [[nodiscard]] std::vector<Outcome> clean(std::span<const GhostPtr> ghosts) override;
    [[nodiscard]] std::vector<Outcome> ask(std::span<const GhostPtr> ghosts) override;
    void take_back(std::span<const GhostPtr> ghosts) override;

    /// Why a unit was last left alone; empty when it was not.
    [[nodiscard]] const std::string& unit_refusal() const { return unit_refusal_; }

    /// Whether anything was asked since this was last called.
    [[nodiscard]] bool take_asked() { return std::exchange(asked_, false); }

private:
    [[nodiscard]] std::vector<Outcome> end_sockets(std::span<const GhostPtr> ghosts);
    [[nodiscard]] Outcome see_to_unit(const Ghost& ghost);
    [[nodiscard]] Result<> look_at_descriptors(const Process& owner) const;
    [[nodiscard]] std::vector<host::SocketTarget> targets_of(std::span<const GhostPtr> ghosts) const;
    void note(std::uint16_t type, std::uint64_t cookie);
    [[nodiscard]] Outcome failure(const Ghost& ghost, const Error& error);

    host::Surroundings surroundings_;
    TcpTracker& tracker_;
    Means means_;
    host::NudgeTiming timing_;
    std::optional<UnitRemedy> remedy_;
    std::string unit_refusal_;
    bool asked_{};
};

} // namespace egb::tcp
