// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace egb {

namespace {

/// The Unicode standard, table 3-7: which second bytes may follow a first byte; all later ones are 80..BF.
struct Form {
    unsigned char first_from, first_to;
    unsigned char second_from, second_to;
    std::size_t length;
};

constexpr std::array forms{
    Form{0x00, 0x7F, 0, 0, 1},       Form{0xC2, 0xDF, 0x80, 0xBF, 2}, Form{0xE0, 0xE0, 0xA0, 0xBF, 3},
    Form{0xE1, 0xEC, 0x80, 0xBF, 3}, Form{0xED, 0xED, 0x80, 0x9F, 3}, Form{0xEE, 0xEF, 0x80, 0xBF, 3},
    Form{0xF0, 0xF0, 0x90, 0xBF, 4}, Form{0xF1, 0xF3, 0x80, 0xBF, 4}, Form{0xF4, 0xF4, 0x80, 0x8F, 4},
};

constexpr bool within(char c, unsigned char from, unsigned char to) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= from && byte <= to;
}

/// How many bytes the character in front has; 0 when it is none.
std::size_t length_of_first(std::string_view text) {
    const auto* const form = std::ranges::find_if(forms, [first = text.front()](const Form& candidate) {
        return within(first, candidate.first_from, candidate.first_to);
    });
    if (form == forms.end() || form->length > text.size()) {
        return 0;
    }
    if (form->length > 1 && !within(text[1], form->second_from, form->second_to)) {
        return 0;
    }
    const auto rest = text.substr(0, form->length).substr(std::min<std::size_t>(2, form->length));
    return std::ranges::all_of(rest,
                               [](char c) {
                                   return within(c, 0x80, 0xBF);
                               })
               ? form->length
               : 0;
}

/// C0, DEL, and C1, which some terminals obey as well.
bool is_control(std::string_view character) {
    const char first = character.front();
    return within(first, 0x00, 0x1F) || first == '\x7F' ||
           (first == '\xC2' && within(character[1], 0x80, 0x9F));
}

} // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = length_of_first(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const auto length = length_of_first(text);
        const auto character = text.substr(0, std::max<std::size_t>(length, 1));
        if (length > 0 && !is_control(character)) {
            shown += character;
        } else {
            for (const char c : character) {
                shown += formatted("\\x{:02x}", static_cast<unsigned char>(c));
            }
        }
        text.remove_prefix(character.size());
    }
    return shown;
}

} // namespace egb
