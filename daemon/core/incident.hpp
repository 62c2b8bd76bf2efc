// SPDX-License-Identifier: Apache-2.0
// Something happened to a ghost. Incidents are the only thing that leaves the engine.
#pragma once

#include "core/clock.hpp"
#include "core/decision.hpp"
#include "core/field.hpp"
#include "core/ghost.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace egb {

enum class IncidentType : std::uint8_t {
    appeared, ///< a ghost was found
    changed,  ///< its grade changed
    pending,  ///< it is about to be acted upon: the time to object
    acted,    ///< it was acted upon; `outcome` says what came of it
    vanished, ///< it went without us
};

struct Incident {
    IncidentType type{};
    WallTime at{};
    GhostPtr ghost{};
    Outcome outcome{};   ///< for acted; the reason alone for vanished
    Action action{};     ///< for pending: what is going to be done, to ask or to clean
    Span until_act{};    ///< for pending: the veto window
    std::string actor{}; ///< for acted: "policy", or who asked ("uid 1000")
    Facts facts{};       ///< the kind's own description of the ghost at that moment

    [[nodiscard]] Fields fields() const { return facts ? facts() : Fields{}; }

    /// What happened, in one word: the verdict of an act, else the type.
    [[nodiscard]] std::string_view name() const;
};

[[nodiscard]] std::string_view to_string(IncidentType type);
[[nodiscard]] Result<IncidentType> parse_incident_type(std::string_view text);

/// An act under way, which cannot end untold: what is abandoned half way is recorded as failed.
class Act {
public:
    using Record = std::function<void(const GhostPtr&, const Outcome&)>;

    Act(GhostPtr ghost, Record record) : ghost_{std::move(ghost)}, record_{std::move(record)} {}
    Act(Act&& other) noexcept
        : ghost_{std::move(other.ghost_)}, record_{std::exchange(other.record_, nullptr)} {}
    Act(const Act&) = delete;
    Act& operator=(const Act&) = delete;
    Act& operator=(Act&&) = delete;
    ~Act();

    [[nodiscard]] const GhostPtr& ghost() const { return ghost_; }
    void finish(const Outcome& outcome);

private:
    GhostPtr ghost_;
    Record record_;
};

} // namespace egb
