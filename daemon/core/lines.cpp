// SPDX-License-Identifier: Apache-2.0
#include "core/lines.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <ranges>

namespace egb {

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    text.remove_suffix(text.ends_with('\n') ? 1 : 0);
    for (const auto part : text | std::views::split('\n')) {
        std::string_view line{part};
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        lines.push_back(line);
    }
    return lines;
}

std::string_view without_byte_order_mark(std::string_view text) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    return text.substr(text.starts_with(mark) ? mark.size() : 0);
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const auto first = text.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

Result<> check_line(std::string_view line) {
    const bool control = std::ranges::any_of(line, [](char c) {
        return (c >= '\0' && c < ' ' && c != '\t') || c == '\x7F';
    });
    if (control) {
        return fail(ErrorCode::invalid, "a control character; is this a text file?");
    }
    return is_utf8(line) ? Result<>{} : fail(ErrorCode::invalid, "this is not UTF-8");
}

} // namespace egb
