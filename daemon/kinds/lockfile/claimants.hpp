// SPDX-License-Identifier: Apache-2.0
// Those who own a lock, and those who did, by name: for whoever asks. What becomes of a lock is decided by
// owners.hpp.
#pragma once

#include "core/ownership.hpp"
#include "host/surroundings.hpp"
#include "kinds/lockfile/lock.hpp"

#include <cstddef>
#include <vector>

namespace egb::lockfile {

struct Claimants {
    std::vector<Claimant> named;
    std::size_t unnamed{}; ///< living ones beyond those
};

/// The creator first; then, as far as he has left it to them, those who have started him; each with his
/// heirs.
[[nodiscard]] Claimants claimants_of(const Lock& lock, const host::Surroundings& surroundings);

} // namespace egb::lockfile
