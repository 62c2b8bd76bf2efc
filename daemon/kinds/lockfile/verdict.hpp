// SPDX-License-Identifier: Apache-2.0
// What the facts about a lock come to. Pure; the tracker judges by it, and the cleaner once more right before
// the harm.
#pragma once

#include "core/ghost.hpp"
#include "kinds/lockfile/record.hpp"

#include <vector>

namespace egb::lockfile {

/// Proven: who made it was killed or the machine went down, and nothing at all speaks against it.
[[nodiscard]] Grade grade_of(const LockRecord& record);

/// Whether it is left alone whoever asks.
[[nodiscard]] Reach reach_of(const LockRecord& record);

[[nodiscard]] std::vector<Evidence> evidence_of(const LockRecord& record);

} // namespace egb::lockfile
