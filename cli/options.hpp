// SPDX-License-Identifier: Apache-2.0
// The arguments that several verbs take, and how their values are read. Each is named in the help by what
// stands for its value, and a wrong value is refused with what was expected.
#pragma once

#include "core/result.hpp"
#include "model.hpp"

#include <charconv>
#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace egb::cli {

/// How an option stands in the help.
struct OptionText {
    std::string names; ///< "-n,--lines", or "ID" for an argument
    std::string value; ///< "N"
    std::string help;
};

/// An option whose text goes to `read`; the error of `read` is told with the option's name.
CLI::Option* add_read(CLI::App& app, const OptionText& text,
                      std::function<Result<>(const std::string&)> read);

CLI::Option* add_text(CLI::App& app, const OptionText& text, std::string& target);
CLI::Option* add_flag(CLI::App& app, const OptionText& text, bool& target);
CLI::Option* add_span(CLI::App& app, const OptionText& text, Span& target);
CLI::Option* add_choice(CLI::App& app, const OptionText& text, std::vector<std::string> choices,
                        std::string& target);

/// Reads all of `text` as a whole number.
template <std::integral Number>
Result<Number> parse_number(std::string_view text) {
    Number number{};
    const auto* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end || text.empty()) {
        return fail(ErrorCode::invalid, "expected a whole number, not \"{}\"", text);
    }
    return number;
}

template <std::integral Number>
CLI::Option* add_number(CLI::App& app, const OptionText& text, std::optional<Number>& target) {
    return add_read(app, text, [&target](const std::string& value) {
        return parse_number<Number>(value).transform([&target](Number number) {
            target = number;
        });
    });
}

/// ID..., with a '#' before it or without.
CLI::Option* add_ids(CLI::App& app, std::vector<GhostId>& target);

/// --kind, --grade, --pid and the rest of Filter.
void add_filter(CLI::App& app, Filter& filter);

} // namespace egb::cli
