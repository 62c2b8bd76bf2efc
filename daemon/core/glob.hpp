// SPDX-License-Identifier: Apache-2.0
// The globs that administrators write: which names they stand for.
#pragma once

#include <string>

namespace egb {

/// As a shell has it, but for backslashes: units have them in their names ("srv\x2dlock.service"). No glob
/// stands for a name that is not known.
[[nodiscard]] bool glob_matches(const std::string& glob, const std::string& name);

} // namespace egb
