// SPDX-License-Identifier: Apache-2.0
// Paths as programs in the kernel tell them: they meet the names on the way up. Pure.
#pragma once

#include <string>
#include <string_view>

namespace egb::host {

/// "/usr/bin/true" of "true", "bin", "usr", each with its NUL; "/" of nothing.
[[nodiscard]] std::string path_of_names(std::string_view names);

} // namespace egb::host
