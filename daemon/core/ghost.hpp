// SPDX-License-Identifier: Apache-2.0
// The verdict about one resource. Immutable: a changed mind is a new Ghost with the same id.
#pragma once

#include "core/clock.hpp"
#include "core/evidence.hpp"
#include "core/field.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"
#include "core/shared_text.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb {

struct KindInfo;

/// Never given twice, not after a restart either. 0 is nobody.
using GhostId = std::uint64_t;

enum class Grade : std::uint8_t { suspected, proven };

/// The strongest thing that can ever be done to a ghost, whatever the configuration says.
enum class Reach : std::uint8_t { reports, cleans };

/// How well the beginning of the ghost's state is known.
enum class SinceKind : std::uint8_t {
    observed, ///< we saw it begin
    at_least, ///< it was so when we first looked; it may be older
};

struct Ghost {
    GhostId id{}; ///< given by the ledger when the ghost is first told of
    const KindInfo* kind{};
    std::string key; ///< unique within the kind, and never recycled by the kernel
    Grade grade{Grade::suspected};
    std::string summary; ///< one line for a table
    Instant since;
    SinceKind since_kind{SinceKind::observed};
    std::vector<Holder> holders;
    std::vector<Evidence> evidence;
    Reach reach{Reach::cleans}; ///< of this one, within that of its kind
    bool askable{};             ///< its kind has a question that this one would have to answer
    bool sums_up{};             ///< it stands for others, and is held when one of them is
    SharedText group{}; ///< key of the summary ghost, of its kind, that it is a member of; empty for none
};

using GhostPtr = std::shared_ptr<const Ghost>;

/// Whether `summary` stands for `ghost` among others.
[[nodiscard]] bool is_member(const Ghost& ghost, const Ghost& summary);

[[nodiscard]] std::string_view to_string(Grade grade);
[[nodiscard]] std::string_view to_string(SinceKind since_kind);
[[nodiscard]] Result<Grade> parse_grade(std::string_view text);

/// Which ghosts a caller wants to see. Empty members select everything; what is asked of a holder must all be
/// true of one and the same.
struct GhostFilter {
    std::string kind;
    std::optional<Grade> grade;
    std::optional<std::int32_t> pid; ///< of a holder
    std::optional<std::uint32_t> uid;
    std::string unit;
    std::string container; ///< the beginning of the id is enough
    std::string comm;
    Span min_age{};
    bool members{};  ///< also those that a summary ghost stands for
    GhostId group{}; ///< only those that this summary ghost stands for; 0: no matter

    /// Whose member it is, only the ledger knows: here any membership will do for `group`.
    [[nodiscard]] bool matches(const Ghost& ghost, Instant now) const;
};

} // namespace egb
