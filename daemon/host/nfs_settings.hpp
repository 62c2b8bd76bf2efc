// SPDX-License-Identifier: Apache-2.0
// What nfs.conf(5) says of where exportfs keeps its table, and of where the folders in it begin. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace egb::host {

/// A file, and the section that its first line is of.
struct NfsFile {
    std::string path;
    std::string section{};

    bool operator==(const NfsFile&) const = default;
};

/// All that may be in force: which of several files has the last word, is not asked.
struct NfsSettings {
    std::vector<std::string> states{}; ///< folders of the table
    std::vector<std::string> roots{};  ///< of the folders that are in it
    std::vector<NfsFile> includes{};   ///< that have their say, too

    bool operator==(const NfsSettings&) const = default;
};

/// Adds what stands in one file.
void add_settings(NfsSettings& settings, const NfsFile& file, std::string_view text);

} // namespace egb::host
