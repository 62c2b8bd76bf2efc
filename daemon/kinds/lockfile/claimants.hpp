// SPDX-License-Identifier: Apache-2.0
// Those who own a lock, and those who did, by name: for whoever asks. Who they are is decided by owners.hpp.
#pragma once

#include "core/ownership.hpp"
#include "host/surroundings.hpp"
#include "kinds/lockfile/lock.hpp"
#include "kinds/lockfile/owners.hpp"

#include <cstddef>
#include <vector>

namespace egb::lockfile {

struct Claimants {
    std::vector<Claimant> named;
    std::size_t unnamed{}; ///< living ones beyond those
};

/// In the order in which the search for owners has met them, each with his heirs.
[[nodiscard]] Claimants claimants_of(const Lock& lock, const Ownership& ownership,
                                     const host::Surroundings& surroundings);

} // namespace egb::lockfile
