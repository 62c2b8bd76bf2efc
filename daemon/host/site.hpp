// SPDX-License-Identifier: Apache-2.0
// Where a file is, whatever is mounted where.
#pragma once

#include <string>
#include <string_view>

namespace egb::host {

/// The same by each path that leads there, in each mount namespace.
struct Site {
    std::string device; ///< of the file system, as mountinfo has it: "8:1"
    std::string path;   ///< from the root of that file system

    bool operator==(const Site&) const = default;
};

/// Also the folder itself.
[[nodiscard]] inline bool is_below(std::string_view path, std::string_view folder) {
    return folder == "/" || path == folder ||
           (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

[[nodiscard]] inline bool is_below(const Site& site, const Site& folder) {
    return site.device == folder.device && is_below(site.path, folder.path);
}

} // namespace egb::host
