// SPDX-License-Identifier: Apache-2.0
// Where our output goes, and what that place can show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace egb::cli {

/// Who reads a stream.
enum class Reader : std::uint8_t { program, person };

/// Which characters it shows.
enum class Charset : std::uint8_t { ascii, utf8 };

/// What the surroundings say, before anybody draws conclusions.
struct TerminalFacts {
    Reader in{Reader::program};
    Reader out{Reader::program};
    Reader err{Reader::program};
    Charset charset{Charset::ascii};
    std::optional<std::size_t> window_columns; ///< as the terminal itself says
    std::string columns;                       ///< $COLUMNS
    std::string term;                          ///< $TERM
    std::string no_color;                      ///< $NO_COLOR
};

/// Asks the standard streams and the environment. Takes up the user's locale for the whole process.
[[nodiscard]] TerminalFacts look_at_terminal();

/// How wide a table may be; nothing when it may be as wide as it likes, because a program reads it.
[[nodiscard]] std::optional<std::size_t> width_of(const TerminalFacts& facts);

/// A mark that says well, not well, or neither, in the terminal's own characters.
enum class Mark : std::uint8_t { dot, good, bad, note };
[[nodiscard]] std::string_view glyph(Mark mark, Charset charset);

[[nodiscard]] std::string_view ellipsis(Charset charset);

} // namespace egb::cli
