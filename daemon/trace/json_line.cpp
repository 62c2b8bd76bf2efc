// SPDX-License-Identifier: Apache-2.0
#include "trace/json_line.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

namespace egb::trace {

namespace {

/// Most lines are shorter.
constexpr std::size_t usual_bytes = 768;

/// Stands in a JSON string as it is.
constexpr bool is_plain(char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

template <typename Number>
void append_number(std::string& text, Number value) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text.append(digits.data(), end);
}

} // namespace

JsonLine::JsonLine() {
    text_.reserve(usual_bytes);
    text_ += '{';
}

void JsonLine::separate() {
    if (text_.back() != '{' && text_.back() != '[') {
        text_ += ',';
    }
}

void JsonLine::key(std::string_view name) {
    separate();
    text_ += '"';
    text_ += name;
    text_ += "\":";
}

void JsonLine::quote(std::string_view value) {
    text_ += '"';
    if (std::ranges::all_of(value, is_plain)) {
        text_ += value;
    } else {
        for (const char c : printable(value)) {
            if (c == '"' || c == '\\') {
                text_ += '\\';
            }
            text_ += c;
        }
    }
    text_ += '"';
}

void JsonLine::append(std::uint64_t value) {
    append_number(text_, value);
}

void JsonLine::append(std::int64_t value) {
    append_number(text_, value);
}

void JsonLine::flag(std::string_view name, bool value) {
    key(name);
    text_ += value ? "true" : "false";
}

void JsonLine::null(std::string_view name) {
    key(name);
    text_ += "null";
}

void JsonLine::text(std::string_view name, std::string_view value) {
    key(name);
    quote(value);
}

void JsonLine::text_or_null(std::string_view name, std::string_view value) {
    if (value.empty()) {
        null(name);
    } else {
        text(name, value);
    }
}

void JsonLine::open(std::string_view name) {
    key(name);
    text_ += '{';
}

void JsonLine::close() {
    text_ += '}';
}

void JsonLine::open_list(std::string_view name) {
    key(name);
    text_ += '[';
}

void JsonLine::entry(std::string_view value) {
    separate();
    quote(value);
}

void JsonLine::close_list() {
    text_ += ']';
}

std::string JsonLine::finish() && {
    text_ += "}\n";
    return std::move(text_);
}

} // namespace egb::trace
