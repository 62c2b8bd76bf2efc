// SPDX-License-Identifier: Apache-2.0
// What to do about a ghost, as far as that follows from its grade and the configuration alone. Pure.
#pragma once

#include "core/decision.hpp"
#include "core/ghost.hpp"
#include "core/kind_info.hpp"

#include <cstdint>

namespace egb::engine {

/// The options that every kind has, whatever it is.
struct KindPolicy {
    CleanPolicy clean{CleanPolicy::proven};
    Span veto{}; ///< how long ActionPending stands before the act

    bool operator==(const KindPolicy&) const = default;
};

/// Whether a kind has seen everything of late. A kind that lost events only reports until a whole sweep has
/// put that right.
enum class Health : std::uint8_t { whole, lossy };

[[nodiscard]] Decision decide(const Ghost& ghost, const KindPolicy& policy, Health health);

/// The table of the options behind KindPolicy, the same in each kind's section: Enabled, Clean, Veto.
[[nodiscard]] std::span<const OptionSpec> common_kind_options();

/// Reads KindPolicy out of a kind's section.
[[nodiscard]] KindPolicy kind_policy(const OptionValues& section);

} // namespace egb::engine
