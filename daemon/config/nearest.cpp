// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace egb::config {

namespace {

bool same_letter(char left, char right) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(left) == lower(right);
}

/// How many letters to insert, delete, change, or swap with their neighbour: row i, column j of the table has
/// that for the first i letters of one and the first j of the other.
std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::vector<std::size_t>> table(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
    std::ranges::iota(table[0], std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        table[i][0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const bool same = same_letter(from[i - 1], to[j - 1]);
            const bool swapped =
                i > 1 && j > 1 && same_letter(from[i - 2], to[j - 1]) && same_letter(from[i - 1], to[j - 2]);
            table[i][j] =
                std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (same ? 0 : 1),
                          swapped ? table[i - 2][j - 2] + 1 : i + j});
        }
    }
    return table[from.size()][to.size()];
}

std::string enumeration(std::span<const std::string_view> names) {
    std::string text;
    for (const auto name : names) {
        const std::string_view separator = text.empty() ? "" : name == names.back() ? " and " : ", ";
        text += formatted("{}{}", separator, name);
    }
    return text;
}

} // namespace

std::string suggestion(std::string_view wrong, std::span<const std::string_view> names) {
    // Nothing that long is a typing mistake, and the distance would take its time.
    constexpr std::size_t longest = 64;
    const auto changes_per_letter = [wrong](std::string_view name) {
        return static_cast<double>(distance(wrong, name)) / static_cast<double>(name.size());
    };
    if (!names.empty() && wrong.size() <= longest) {
        const auto nearest = std::ranges::min(names, {}, changes_per_letter);
        if (distance(wrong, nearest) <= nearest.size() / 2) {
            return formatted("did you mean {}?", nearest);
        }
    }
    return names.empty() ? "there are none" : formatted("there are {}", enumeration(names));
}

} // namespace egb::config
