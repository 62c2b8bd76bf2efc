// SPDX-License-Identifier: Apache-2.0
#include "host/nfs_settings.hpp"

#include "core/lines.hpp"

#include <algorithm>
#include <cctype>

namespace egb::host {

namespace {

std::string lower(std::string_view text) {
    std::string result{text};
    std::ranges::transform(result, result.begin(), [](unsigned char letter) {
        return static_cast<char>(std::tolower(letter));
    });
    return result;
}

/// "[exports]", without the brackets; "[ exports "name" ]" is of that section as well.
std::string section_in(std::string_view line) {
    const auto inside = trimmed(line.substr(1, line.find(']') - 1));
    return lower(inside.substr(0, inside.find_first_of(" \t\"")));
}

std::string_view without_quotes(std::string_view value) {
    const bool is_quoted =
        value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
    return is_quoted ? value.substr(1, value.size() - 2) : value;
}

} // namespace

void add_settings(NfsSettings& settings, std::string_view text) {
    std::string section;
    for (const auto raw : lines_of(text)) {
        const auto line = trimmed(raw);
        const auto equals = line.find('=');
        if (line.starts_with('[')) {
            section = section_in(line);
        } else if (equals != std::string_view::npos && line.front() != '#' && line.front() != ';') {
            const auto key = lower(trimmed(line.substr(0, equals)));
            const std::string value{without_quotes(trimmed(line.substr(equals + 1)))};
            if (key == "state-directory-path" && (section == "exportd" || section == "mountd")) {
                settings.states.push_back(value);
            } else if (key == "rootdir" && section == "exports") {
                settings.roots.push_back(value);
            }
        }
    }
}

} // namespace egb::host
