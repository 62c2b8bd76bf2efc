// SPDX-License-Identifier: Apache-2.0
#include "colour.hpp"

#include "core/format.hpp"

#include <utility>

namespace egb::cli {

namespace {

bool wants_colour(ColourMode mode, const TerminalFacts& facts) {
    switch (mode) {
    case ColourMode::always:
        return true;
    case ColourMode::never:
        return false;
    case ColourMode::automatic:
        return facts.out == Reader::person && facts.no_color.empty() && !facts.term.empty() &&
               facts.term != "dumb";
    }
    std::unreachable();
}

/// The parameters of an SGR sequence.
std::string_view code_of(Style style) {
    switch (style) {
    case Style::plain:
        return "";
    case Style::heading:
        return "4";
    case Style::strong:
        return "1";
    case Style::faint:
        return "2";
    case Style::good:
        return "1;32";
    case Style::warning:
        return "1;33";
    case Style::bad:
        return "1;31";
    }
    std::unreachable();
}

} // namespace

Painter::Painter(ColourMode mode, const TerminalFacts& facts) : colours_{wants_colour(mode, facts)} {}

std::string Painter::operator()(Style style, std::string_view text) const {
    if (!colours_ || style == Style::plain || text.empty()) {
        return std::string{text};
    }
    return formatted("\x1b[{}m{}\x1b[0m", code_of(style), text);
}

} // namespace egb::cli
