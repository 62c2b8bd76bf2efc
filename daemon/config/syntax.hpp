// SPDX-License-Identifier: Apache-2.0
// systemd's syntax, without any meaning: systemd.syntax(7).
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace egb::config {

/// A heading or an assignment. Backslashes at the end make one statement of several lines.
struct Statement {
    std::size_t first_line{}; ///< counted from 1
    std::size_t last_line{};
    std::string section;
    std::string name; ///< empty for the section's heading
    std::string value{};

    bool operator==(const Statement&) const = default;
};

/// In the order of the text. A failure's message begins with "LINE: ".
[[nodiscard]] Result<std::vector<Statement>> parse(std::string_view text);

} // namespace egb::config
