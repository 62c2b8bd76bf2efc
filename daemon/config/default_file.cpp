// SPDX-License-Identifier: Apache-2.0
#include "config/default_file.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string_view>

namespace egb::config {

namespace {

constexpr std::string_view preamble =
    R"(# SPDX-License-Identifier: Apache-2.0
#
# The configuration of eghostbusterd. Each option stands here with its default, commented out.
#
# Don't change this file, but put what shall be different into one of your own:
#     /etc/eghostbuster/eghostbuster.conf.d/SOMETHING.conf
# and have it read by: systemctl reload eghostbuster
# A mistake in it leaves everything as it was; `systemctl status eghostbuster` names file, line and reason.
#
# An empty value stands for the default. Each line that names a list adds to it; an empty value empties it.
# Time spans are written like 30s, 5min or 1h 30min; a bare number is seconds.
)";

constexpr std::size_t columns = 110;

std::string as_comment(std::string_view text) {
    std::string comment;
    std::string line{"#"};
    for (const auto part : text | std::views::split(' ')) {
        const std::string_view word{part};
        if (line.size() + 1 + word.size() > columns) {
            comment += line + '\n';
            line = "#";
        }
        line += formatted(" {}", word);
    }
    return comment + line + '\n';
}

std::string limit(const OptionSpec& spec, std::uint64_t value) {
    return spec.type == OptionType::span ? exact_span(std::chrono::seconds{static_cast<std::int64_t>(value)})
                                         : std::to_string(value);
}

/// What the help need not say because the table does.
std::string range(const OptionSpec& spec) {
    std::string text;
    if (spec.least > 0) {
        text += formatted(" At least {}.", limit(spec, spec.least));
    }
    if (spec.most < UINT64_MAX) {
        text += formatted(" At most {}.", limit(spec, spec.most));
    }
    for (const auto choice : spec.choices) {
        text += formatted("{}{}", text.empty() ? " One of: " : ", ", choice);
    }
    return spec.choices.empty() ? text : text + '.';
}

} // namespace

std::string render_defaults(const Schema& schema) {
    std::string text{preamble};
    for (const auto& section : schema) {
        text += formatted("\n[{}]\n", section.name);
        for (const auto& option : section.options) {
            text += formatted("\n{}#{}={}\n", as_comment(formatted("{}{}", option.help, range(option))),
                              option.name, option.preset);
        }
    }
    return text;
}

} // namespace egb::config
