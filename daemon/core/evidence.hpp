// SPDX-License-Identifier: Apache-2.0
// Why something is held to be a ghost, and why it may not be one.
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace egb {

enum class Weight : std::uint8_t { supports, opposes };

/// How a rule's number is to be read. `since` is an Instant in nanoseconds, shown as the span from then until
/// now: it stays true however long the verdict stands.
enum class EvidenceUnit : std::uint8_t { none, count, bytes, span, since };

/// One thing a kind knows how to find out. Kinds keep a constant table of these; everything that explains a
/// ghost in words, JSON or a man page comes from it.
struct EvidenceRule {
    std::string_view name; ///< kebab-case, stable: part of the API
    Weight weight;
    EvidenceUnit unit;
    std::string_view text;   ///< a clause, with {} where the number goes
    std::string_view change; ///< what would change the verdict; empty when nothing would
};

/// A rule that applies, with the number it found. Small, because a node can have 100,000 ghosts.
struct Evidence {
    const EvidenceRule* rule{};
    std::int64_t value{};

    bool operator==(const Evidence&) const = default;
};

[[nodiscard]] std::string_view to_string(Weight weight);

/// The evidence as a sentence, its number in the unit of its rule.
[[nodiscard]] std::string sentence(const Evidence& evidence, Instant now);

} // namespace egb
