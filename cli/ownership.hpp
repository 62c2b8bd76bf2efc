// SPDX-License-Identifier: Apache-2.0
// Whose a file is, in sentences: the locks that the kernel keeps on it, and what kinds of ghosts know of it.
#pragma once

#include "model.hpp"
#include "time.hpp"

#include <string>
#include <vector>

namespace egb::cli {

/// `owners` is what the daemon has answered. A line each; none when nobody but those who have it open has to
/// do with the file.
[[nodiscard]] std::vector<std::string> ownership_lines(const Json& owners, WallTime now);

/// Who has it open, has locked it, or owns it, and lives; each once.
[[nodiscard]] std::vector<std::string> owner_pids(const Json& owners);

} // namespace egb::cli
