// SPDX-License-Identifier: Apache-2.0
// Text by the columns it takes on a terminal. What comes in here is UTF-8 without control characters, as
// printable() of core/utf8.hpp leaves it.
#pragma once

#include "terminal.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace egb::cli {

[[nodiscard]] std::size_t columns_of(std::string_view text);

/// The text, or as much of its beginning as fits together with an ellipsis.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t columns, Charset charset);

/// Broken into lines at blanks. A word that is longer than a line stands alone.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t columns);

/// printable(), line by line: for texts that may have several.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// "1 ghost", "2 ghosts".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

/// The one of `words` that `word` was probably meant to be; empty when none is near.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& words);

} // namespace egb::cli
