// SPDX-License-Identifier: Apache-2.0
// Texts that people write, line by line, without any meaning.
#pragma once

#include "core/result.hpp"

#include <string_view>
#include <vector>

namespace egb {

/// Without their ends, be they \n or \r\n; the last one may lack it.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

/// Without what some editors put before a text.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

/// Without the blanks around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Whether a line can be of a text at all.
[[nodiscard]] Result<> check_line(std::string_view line);

} // namespace egb
