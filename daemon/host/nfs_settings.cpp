// SPDX-License-Identifier: Apache-2.0
#include "host/nfs_settings.hpp"

#include "core/lines.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <ranges>
#include <utility>

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

/// What stands in quotes, or before a comment.
std::string value_in(std::string_view text) {
    if (text.starts_with('"') || text.starts_with('\'')) {
        return std::string{text.substr(1, text.find(text.front(), 1) - 1)};
    }
    return std::string{trimmed(text.substr(0, text.find_first_of("#;")))};
}

/// Relative to the file that it stands in; a hyphen before it allows that it is missing.
std::string included_by(const std::string& file, std::string_view value) {
    value.remove_prefix(value.starts_with('-') ? 1 : 0);
    return std::filesystem::path{file}.parent_path() / value;
}

/// A line that ends with a backslash goes on in the next, after two blanks. A carriage return is no part of
/// its end.
std::vector<std::string> whole_lines_of(std::string_view text) {
    std::vector<std::string> lines;
    bool goes_on = false;
    for (const auto part : text | std::views::split('\n')) {
        const std::string_view line{part};
        if (!std::exchange(goes_on, line.ends_with('\\'))) {
            lines.emplace_back();
        }
        lines.back() += line.substr(0, line.size() - (goes_on ? 1 : 0));
        lines.back() += goes_on ? "  " : "";
    }
    return lines;
}

std::string_view without_blanks(std::string_view text) {
    const auto trimmed_text = trimmed(text);
    return trimmed(trimmed_text.substr(0, trimmed_text.size() - (trimmed_text.ends_with('\r') ? 1 : 0)));
}

void add_setting(NfsSettings& settings, const NfsFile& file, std::string_view key, std::string value) {
    if (key == "include" && value.find_first_not_of('-') != std::string::npos) {
        settings.includes.push_back({.path = included_by(file.path, value), .section = file.section});
    } else if (key == "state-directory-path" && (file.section == "exportd" || file.section == "mountd")) {
        settings.states.push_back(std::move(value));
    } else if (key == "rootdir" && file.section == "exports") {
        settings.roots.push_back(std::move(value));
    }
}

} // namespace

void add_settings(NfsSettings& settings, const NfsFile& file, std::string_view text) {
    NfsFile at = file;
    for (const std::string& whole : whole_lines_of(text)) {
        const auto line = without_blanks(whole);
        const auto equals = line.find('=');
        if (line.starts_with('[')) {
            at.section = section_in(line);
        } else if (equals != std::string_view::npos && line.front() != '#' && line.front() != ';') {
            add_setting(settings, at, lower(trimmed(line.substr(0, equals))),
                        value_in(trimmed(line.substr(equals + 1))));
        }
    }
}

} // namespace egb::host
