// SPDX-License-Identifier: Apache-2.0
// A JSON object on one line, put together member by member: for what is written thousands of times a second.
// Text of any origin may come in; what is not printable leaves as \xNN (core/utf8.hpp), so that a line is
// always UTF-8, always one line, and never the end of its string.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace egb::trace {

class JsonLine {
public:
    /// Begins the object. Names are ours, and need no escaping.
    JsonLine();

    void number(std::string_view name, std::integral auto value) {
        key(name);
        append(value);
    }
    void flag(std::string_view name, bool value);
    void null(std::string_view name);
    void text(std::string_view name, std::string_view value);
    /// null when it is empty.
    void text_or_null(std::string_view name, std::string_view value);

    /// {"name":{ ... }}
    void open(std::string_view name);
    void close();

    /// {"name":["...", ...]}
    void open_list(std::string_view name);
    void entry(std::string_view value);
    void close_list();

    /// Ends the object and the line.
    [[nodiscard]] std::string finish() &&;

private:
    void key(std::string_view name);
    void separate();
    void quote(std::string_view value);
    void append(std::uint64_t value);
    void append(std::int64_t value);
    template <std::unsigned_integral Number>
    void append(Number value) {
        append(std::uint64_t{value});
    }
    template <std::signed_integral Number>
    void append(Number value) {
        append(std::int64_t{value});
    }

    std::string text_;
};

} // namespace egb::trace
