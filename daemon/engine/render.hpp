// SPDX-License-Identifier: Apache-2.0
// A ghost in words and in JSON: the same for the bus, the command line and the state database.
#pragma once

#include "core/clock.hpp"
#include "core/decision.hpp"
#include "core/field.hpp"
#include "core/ghost.hpp"
#include "core/incident.hpp"
#include "core/ownership.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace egb::engine {

/// What the ledger knows of a ghost and of others.
struct Kinship {
    std::optional<GhostId> group; ///< the summary ghost that it is a member of
    std::size_t members{};        ///< of which it is the summary
};

/// {"id":…,"kind":…,"grade":…,"key":…,"summary":…,"since":…,"since_kind":…,"age_usec":…,
///  "holders":[…],"holders_total":…,"bond":…,"evidence":[{"name","weight","text","value"}],"fields":{…},
///  "decision":{"action","reason"},"group":…,"members_total":…}; the holders are no more than the first
///  twenty
[[nodiscard]] std::string to_json(const Ghost& ghost, const Fields& fields, const Decision& decision,
                                  const Kinship& kinship, const Clock& clock);

/// {"holders":[…],"locks":[{"type","access","waits","holder":…}],"claims":[{"kind","summary","verdict",
///  "since":…,"age_usec":…,"claimants":[{"role","lives","end":…,"process":…}],"claimants_unnamed":…,
///  "evidence":[…],"ghost":…}]}; null is what is not known, or not there
[[nodiscard]] std::string to_json(const FileOwners& owners, const Clock& clock);

/// The incident with its ghost, for the history.
[[nodiscard]] std::string to_json(const Incident& incident, const Clock& clock);

/// What is claimed, the evidence for it, the evidence against it, what would change the verdict, and what is
/// going to be done: a page for a person.
[[nodiscard]] std::string explain(const Ghost& ghost, const Fields& fields, const Decision& decision,
                                  const Clock& clock);

} // namespace egb::engine
