// SPDX-License-Identifier: Apache-2.0
// The last gate before harm. It knows nothing of proof; it knows how much is too much.
#pragma once

#include "core/clock.hpp"
#include "core/ghost.hpp"
#include "core/option.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace egb::engine {

struct GovernorLimits {
    bool paused{};
    std::uint64_t acts_per_minute{};
    std::uint64_t acts_per_minute_per_unit{};
    Span cooldown{};                  ///< after a failed act, the ghost is left alone for so long
    std::vector<std::string> protect; ///< globs over unit, comm, exe and container of every holder

    bool operator==(const GovernorLimits&) const = default;
};

[[nodiscard]] std::span<const OptionSpec> governor_options();
[[nodiscard]] GovernorLimits governor_limits(const OptionValues& section);

class Governor {
public:
    explicit Governor(GovernorLimits limits) : limits_{std::move(limits)} {}

    void set_limits(GovernorLimits limits) { limits_ = std::move(limits); }
    [[nodiscard]] const GovernorLimits& limits() const { return limits_; }

    /// May this ghost be acted upon now? A success is not yet an act: note_act() is. `busy` means that asking
    /// again later may help, `denied` that it will not.
    [[nodiscard]] Result<> admit(const Ghost& ghost, Instant now);

    void note_act(const Ghost& ghost, Instant now);
    void note_failure(const Ghost& ghost, Instant now);

private:
    using Acts = std::deque<Instant>;

    GovernorLimits limits_;
    Acts acts_;
    std::map<std::string, Acts> acts_by_unit_;
    std::map<GhostId, Instant> cooling_until_;
};

} // namespace egb::engine
