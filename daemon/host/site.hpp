// SPDX-License-Identifier: Apache-2.0
// Where a file is, whatever is mounted where.
#pragma once

#include <string>

namespace egb::host {

/// The same by each path that leads there, in each mount namespace.
struct Site {
    std::string device; ///< of the file system, as mountinfo has it: "8:1"
    std::string path;   ///< from the root of that file system

    bool operator==(const Site&) const = default;
};

} // namespace egb::host
