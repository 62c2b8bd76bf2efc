// SPDX-License-Identifier: Apache-2.0
// The table of holds. A key and an end mean something to the boot that they are of; only what is held of all
// ghosts stays so over a reboot. For StateDb alone.
#pragma once

#include "engine/hold_store.hpp"
#include "state/sqlite.hpp"

#include <span>
#include <string>
#include <vector>

namespace egb::state {

/// Each in place of an earlier one, which goes when the time of the new one is over.
[[nodiscard]] Result<> write_holds(const Database& db, std::span<const engine::Hold> holds,
                                   const std::string& boot, Instant now);

/// Those that are over, or of an earlier boot.
[[nodiscard]] Result<> delete_ended_holds(const Database& db, const std::string& boot, Instant now);

/// Those that are not over.
[[nodiscard]] Result<std::vector<engine::Hold>> read_holds(const Database& db, const std::string& boot,
                                                           Instant now);

} // namespace egb::state
