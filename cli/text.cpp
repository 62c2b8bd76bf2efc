// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include "core/format.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <bit>
#include <clocale>
#include <cwchar>
#include <memory>
#include <numeric>
#include <ranges>
#include <type_traits>

namespace egb::cli {

namespace {

struct FreeLocale {
    void operator()(locale_t locale) const { freelocale(locale); }
};

/// wcwidth() knows the width of a character in the locale of its thread only, and the user's may not be
/// UTF-8.
class Utf8Locale {
public:
    Utf8Locale() : before_{uselocale(utf8())} {}
    ~Utf8Locale() { uselocale(before_); }
    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;

private:
    static locale_t utf8() {
        static const std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale> locale{
            newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)};
        return locale.get();
    }

    locale_t before_;
};

/// Takes one character off the front of well-formed text.
std::string_view take_character(std::string_view& text) {
    const auto ones = static_cast<std::size_t>(std::countl_one(static_cast<unsigned char>(text.front())));
    const auto character = text.substr(0, std::clamp<std::size_t>(ones, 1, 4));
    text.remove_prefix(character.size());
    return character;
}

wchar_t code_point(std::string_view character) {
    if (character.size() == 1) {
        return static_cast<wchar_t>(static_cast<unsigned char>(character.front()));
    }
    auto value =
        static_cast<unsigned>(static_cast<unsigned char>(character.front())) & (0x7FU >> character.size());
    for (const char next : character.substr(1)) {
        value = (value << 6U) | (static_cast<unsigned char>(next) & 0x3FU);
    }
    return static_cast<wchar_t>(value);
}

std::size_t columns_of_character(std::string_view character) {
    const int columns = wcwidth(code_point(character));
    return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

/// How many single-letter changes lead from one word to the other.
std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::ranges::iota(row, 0UZ);
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::size_t columns_of(std::string_view text) {
    const Utf8Locale locale;
    std::size_t columns = 0;
    while (!text.empty()) {
        columns += columns_of_character(take_character(text));
    }
    return columns;
}

std::string shorten(std::string_view text, std::size_t columns, Charset charset) {
    if (columns_of(text) <= columns) {
        return std::string{text};
    }
    const auto dots = ellipsis(charset);
    const auto dots_columns = columns_of(dots);
    if (columns < dots_columns) {
        return std::string{dots.substr(0, columns)};
    }
    const Utf8Locale locale;
    std::string kept;
    std::size_t used = dots_columns;
    while (!text.empty()) {
        const auto character = take_character(text);
        used += columns_of_character(character);
        if (used > columns) {
            break;
        }
        kept += character;
    }
    return kept.append(dots);
}

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
    std::vector<std::string> lines;
    for (const auto part : text | std::views::split(' ')) {
        const std::string_view word{part};
        if (word.empty()) {
            continue;
        }
        if (lines.empty() || columns_of(lines.back()) + 1 + columns_of(word) > columns) {
            lines.emplace_back(word);
        } else {
            lines.back().append(" ").append(word);
        }
    }
    return lines;
}

std::string printable_lines(std::string_view text) {
    std::string shown;
    for (const auto line : text | std::views::split('\n')) {
        shown +=
            (shown.empty() && line.data() == text.data() ? "" : "\n") + printable(std::string_view{line});
    }
    return shown;
}

std::string counted(std::size_t count, std::string_view noun) {
    return formatted("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
    const auto begins = std::ranges::find_if(words, [word](const std::string& candidate) {
        return !word.empty() && candidate.starts_with(word);
    });
    if (begins != words.end()) {
        return *begins;
    }
    const auto near = [word](const std::string& candidate) {
        return distance(word, candidate);
    };
    const auto best = std::ranges::min_element(words, {}, near);
    return best != words.end() && near(*best) <= std::max<std::size_t>(1, word.size() / 3) ? *best : "";
}

} // namespace egb::cli
