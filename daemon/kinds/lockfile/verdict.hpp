// SPDX-License-Identifier: Apache-2.0
// What the facts about a lock come to. Pure; the tracker judges by it, and the cleaner once more right before
// the harm.
#pragma once

#include "core/ghost.hpp"
#include "core/ownership.hpp"
#include "kinds/lockfile/record.hpp"

#include <vector>

namespace egb::lockfile {

/// Proven: who made it was killed or the machine went down, and nothing at all speaks against it.
[[nodiscard]] Grade grade_of(const LockRecord& record);

/// Whether it is left alone whoever asks.
[[nodiscard]] Reach reach_of(const LockRecord& record);

[[nodiscard]] std::vector<Evidence> evidence_of(const LockRecord& record);

/// Without an owner only when nothing hints at one whom we do not know.
[[nodiscard]] OwnerVerdict ownership_by(const LockRecord& record, bool any_lives);

/// What there is to say of it while it may have an owner, and nobody has looked who has it open.
[[nodiscard]] std::vector<Evidence> evidence_of_ownership(const LockRecord& record);

} // namespace egb::lockfile
