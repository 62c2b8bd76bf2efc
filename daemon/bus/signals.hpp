// SPDX-License-Identifier: Apache-2.0
// The four signals of the Manager, one method each. Emitting is cheap and never blocks; whoever calls sees to
// it that a flood of ghosts does not become a flood of signals (sinks/bus_sink.hpp). Runs on the loop.
#pragma once

#include "core/clock.hpp"
#include "core/decision.hpp"
#include "core/ghost.hpp"

#include <cstdint>
#include <string_view>

namespace egb::bus {

/// `more`: for how many others of the same signal and kind this one stands too.
class Signals {
public:
    virtual ~Signals() = default;

    /// A ghost was found, or the grade of a known one changed.
    virtual void ghost_appeared(const Ghost& ghost, std::uint32_t more) = 0;
    virtual void action_pending(const Ghost& ghost, Span until_act, std::uint32_t more) = 0;
    virtual void ghost_cleaned(const Ghost& ghost, const Outcome& outcome, std::uint32_t more) = 0;
    virtual void ghost_vanished(const Ghost& ghost, std::string_view reason, std::uint32_t more) = 0;
};

} // namespace egb::bus
