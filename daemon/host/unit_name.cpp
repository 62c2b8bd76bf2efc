// SPDX-License-Identifier: Apache-2.0
#include "host/unit_name.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace egb::host {

namespace {

constexpr std::array<std::string_view, 6> types{"service", "scope", "socket", "mount", "swap", "slice"};
constexpr std::size_t longest_name = 255;
constexpr std::string_view alphanumeric{"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"};

bool is_made_of(std::string_view text, std::string_view others) {
    return std::ranges::all_of(text, [others](char c) {
        return alphanumeric.contains(c) || others.contains(c);
    });
}

/// "a-b-" for "a-b-c", and "a-" for that.
std::optional<std::string> shorter_prefix(std::string_view prefix) {
    prefix.remove_suffix(prefix.ends_with('-') ? 1 : 0);
    const auto dash = prefix.rfind('-');
    if (dash == std::string_view::npos || dash == 0) {
        return std::nullopt;
    }
    return std::string{prefix.substr(0, dash + 1)};
}

void add_drop_in_names(const UnitName& unit, std::vector<std::string>& names) {
    auto own = unit.text();
    if (std::ranges::contains(names, own)) {
        return;
    }
    names.push_back(std::move(own));
    if (unit.is_instance()) {
        add_drop_in_names(unit.with_instance(""), names);
    }
    if (auto prefix = shorter_prefix(unit.prefix)) {
        // A template's shorter names are those of plain units, as systemd has it.
        add_drop_in_names({.prefix = std::move(*prefix),
                           .instance = unit.is_instance() ? unit.instance : std::nullopt,
                           .type = unit.type},
                          names);
    }
}

} // namespace

std::optional<UnitName> UnitName::parse(std::string_view text) {
    const auto dot = text.rfind('.');
    if (text.size() > longest_name || dot == std::string_view::npos) {
        return std::nullopt;
    }
    const auto type = text.substr(dot + 1);
    const auto stem = text.substr(0, dot);
    const auto at = stem.find('@');
    const auto prefix = stem.substr(0, at);
    if (prefix.empty() || !std::ranges::contains(types, type) || !is_made_of(prefix, R"(:-_.\)") ||
        !is_made_of(stem, R"(:-_.\@)")) {
        return std::nullopt;
    }
    UnitName name{.prefix = std::string{prefix}, .instance = std::nullopt, .type = std::string{type}};
    if (at != std::string_view::npos) {
        name.instance = stem.substr(at + 1);
    }
    return name;
}

std::string UnitName::text() const {
    return formatted("{}{}{}.{}", prefix, instance ? "@" : "", instance.value_or(""), type);
}

UnitName UnitName::with_instance(std::optional<std::string> other) const {
    return {.prefix = prefix, .instance = std::move(other), .type = type};
}

std::vector<std::string> drop_in_names(const UnitName& unit) {
    std::vector<std::string> names;
    add_drop_in_names(unit, names);
    return names;
}

} // namespace egb::host
