// SPDX-License-Identifier: Apache-2.0
// Which files make up the configuration, and what is in them.
#pragma once

#include "config/config.hpp"
#include "core/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace egb::config {

/// In the order in which they are to be read.
[[nodiscard]] Result<std::vector<std::filesystem::path>> find_files(const Paths& paths);

/// The files of a list, as far as there are any.
[[nodiscard]] std::vector<std::filesystem::path> find_lists(const Paths& paths, std::string_view section,
                                                            std::string_view list);

/// A whole text file; "" for /dev/null. What is not a file, or larger than any configuration, is refused.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

} // namespace egb::config
