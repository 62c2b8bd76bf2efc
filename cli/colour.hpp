// SPDX-License-Identifier: Apache-2.0
// Colour, where a person looks and wants it. It never carries what the words do not say too.
#pragma once

#include "terminal.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace egb::cli {

/// --color=
enum class ColourMode : std::uint8_t { automatic, always, never };

enum class Style : std::uint8_t { plain, heading, strong, faint, good, warning, bad };

/// Puts on colour, or leaves it.
class Painter {
public:
    /// Without colour.
    Painter() = default;
    Painter(ColourMode mode, const TerminalFacts& facts);

    [[nodiscard]] std::string operator()(Style style, std::string_view text) const;
    [[nodiscard]] bool colours() const { return colours_; }

private:
    bool colours_{};
};

} // namespace egb::cli
