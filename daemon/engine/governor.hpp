// SPDX-License-Identifier: Apache-2.0
// The last gate before harm. It knows nothing of proof; it knows how much is too much.
#pragma once

#include "core/clock.hpp"
#include "core/ghost.hpp"
#include "core/option.hpp"
#include "core/result.hpp"
#include "engine/marks.hpp"
#include "engine/unit_settings.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egb::engine {

struct GovernorLimits {
    bool paused{};
    std::uint64_t acts_per_minute{};
    std::uint64_t acts_per_minute_per_unit{}; ///< what belongs to no unit counts as one more unit
    Span cooldown{}; ///< after an act that did not succeed, the ghost is left alone for so long
    std::vector<std::string> protect; ///< globs over unit, comm, exe and container of every holder

    bool operator==(const GovernorLimits&) const = default;
};

[[nodiscard]] std::span<const OptionSpec> governor_options();
[[nodiscard]] GovernorLimits governor_limits(const OptionValues& section);

class Governor {
public:
    /// Without `units`, no unit has wishes of its own.
    explicit Governor(GovernorLimits limits, UnitSettings* units = nullptr)
        : limits_{std::move(limits)}, units_{units} {}

    void set_limits(GovernorLimits limits);
    [[nodiscard]] const GovernorLimits& limits() const { return limits_; }

    /// Another number after each set_limits(): what was decided under the old ones is to be decided again.
    [[nodiscard]] std::uint64_t revision() const { return revision_; }

    /// May this ghost be acted upon now? A success is not yet an act: note_act() is. `busy` means that asking
    /// again later may help, `denied` that it will not.
    [[nodiscard]] Result<> admit(const Ghost& ghost, Instant now) const;

    /// Why this ghost is protected; nothing when it is not. A process that holds it protects it by the list,
    /// or by a wish of any unit it is in. So does one of which nothing is known, or not its program, while
    /// that may be meant; and while there is a list, a ghost of which nobody knows who holds it is protected,
    /// too.
    [[nodiscard]] std::optional<std::string> protection(const Ghost& ghost) const;

    /// When the caps let anything through at all, and when they and the cooldown let this ghost through:
    /// `now` when they do already.
    [[nodiscard]] Instant opens_at(Instant now) const;
    [[nodiscard]] Instant opens_at(const Ghost& ghost, Instant now) const;

    /// When a ghost's cooldown ends: `now` when it is not in one.
    [[nodiscard]] Instant cool_at(const Ghost& ghost, Instant now) const;

    void note_act(const Ghost& ghost, Instant now);
    /// Counts for its kind and key, whether the ghost ends meanwhile or not.
    void note_failure(const Ghost& ghost, Instant now);

private:
    using Acts = std::deque<Instant>; ///< of the last minute, the oldest first
    struct Cooldown {
        Instant until;
        Span span{};
    };

    [[nodiscard]] std::optional<std::string> protection_by(const Process& holder) const;
    [[nodiscard]] std::optional<std::string> wish_of_units(const Process& holder) const;
    [[nodiscard]] Instant unit_opens_at(std::string_view unit, Instant now) const;

    GovernorLimits limits_;
    UnitSettings* units_;
    std::uint64_t revision_{};
    Acts acts_;
    std::map<std::string, Acts, std::less<>> acts_by_unit_;
    Marks<Cooldown> cooldowns_;
};

} // namespace egb::engine
