// SPDX-License-Identifier: Apache-2.0
// The table of files in quarantine. A mount namespace means something to the boot that it is of. For StateDb
// alone.
#pragma once

#include "core/clock.hpp"
#include "core/quarantine.hpp"
#include "state/sqlite.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace egb::state {

/// What is known of a file beside the file.
struct QuarantineNote {
    GhostId ghost{};
    std::string kind;
    WallTime at;
    std::string boot;
};

/// In place of an earlier one of that ghost: underway. `busy` when there would be more than `most_bytes`
/// then.
[[nodiscard]] Result<> write_ward(const Database& db, const QuarantineNote& note, const QuarantinedFile& file,
                                  std::uint64_t most_bytes);

[[nodiscard]] Result<> settle_ward(const Database& db, GhostId ghost);
[[nodiscard]] Result<> delete_ward(const Database& db, GhostId ghost);

/// But those that are underway.
[[nodiscard]] Result<> delete_wards_before(const Database& db, WallTime at);
[[nodiscard]] Result<> delete_ward_before(const Database& db, GhostId ghost, WallTime at);

[[nodiscard]] Result<Ward> read_ward(const Database& db, GhostId ghost, const std::string& boot);
[[nodiscard]] Result<std::vector<Ward>> read_underway(const Database& db, const std::string& boot);

/// In the order of their ids.
[[nodiscard]] Result<QuarantinePage> read_page(const Database& db, std::uint32_t offset, std::uint32_t limit);

} // namespace egb::state
