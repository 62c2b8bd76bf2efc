// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/names.hpp"

#include "core/glob.hpp"

#include <algorithm>

namespace egb::lockfile {

namespace {

constexpr std::string_view wildcards = "*?[]";
constexpr std::size_t kept_of_a_command = 15; // by the kernel

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool matches_any(const std::vector<std::string>& globs, const std::string& name) {
    return std::ranges::any_of(globs, [&name](const std::string& glob) {
        return glob_matches(glob, name);
    });
}

/// What every name that the glob matches ends with.
std::string_view fixed_end(std::string_view glob) {
    const auto last = glob.find_last_of(wildcards);
    return last == std::string_view::npos ? glob : glob.substr(last + 1);
}

bool has_wildcard(std::string_view glob) {
    return glob.find_first_of(wildcards) != std::string_view::npos;
}

/// A whole name is told from the end of another by the slash before it.
egb_lock_pattern pattern_of(std::string_view glob) {
    std::string end{fixed_end(glob)};
    if (!has_wildcard(glob)) {
        end.insert(0, "/");
    }
    egb_lock_pattern pattern{};
    const auto length = std::min(end.size(), sizeof(pattern.tail));
    std::copy_n(end.rbegin(), length, std::begin(pattern.tail));
    pattern.bits = static_cast<std::uint32_t>(length * 8);
    return pattern;
}

std::vector<std::string> joined(std::vector<std::string> words, const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

} // namespace

Globs globs_of(const OptionValues& section) {
    return {.patterns = section.list("Patterns"),
            .data = joined(section.list("DataFiles"), section.words("data-files")),
            .known = section.words("known-locks"),
            .only = section.list("Only"),
            .except = section.list("Except"),
            .listed = section.words("protected-files"),
            .copying = section.words("copying-programs")};
}

bool Names::may_be_lock(std::string_view path) const {
    const std::string name{last_part(path)};
    return matches_any(globs_.patterns, name) && !matches_any(globs_.data, name);
}

bool Names::is_data(std::string_view path) const {
    const std::string name{last_part(path)};
    return matches_any(globs_.patterns, name) && matches_any(globs_.data, name);
}

bool Names::is_protected(const std::string& path) const {
    return is_excepted(path) || matches_any(globs_.listed, path);
}

bool Names::is_excepted(const std::string& path) const {
    return matches_any(globs_.except, path);
}

bool Names::is_in_bounds(const std::string& path) const {
    return globs_.only.empty() || matches_any(globs_.only, path);
}

bool Names::is_known_lock(const std::string& path) const {
    return matches_any(globs_.known, path);
}

bool Names::copies(std::string_view command) const {
    return std::ranges::any_of(globs_.copying, [command](std::string_view program) {
        return program.substr(0, kept_of_a_command) == command;
    });
}

Names::KernelPatterns Names::for_kernel() const {
    KernelPatterns patterns;
    const auto add = [&patterns](std::string_view glob, std::uint32_t value) {
        patterns.keys.push_back(pattern_of(glob));
        patterns.values.push_back(value);
    };
    for (const std::string& glob : globs_.patterns) {
        add(glob, EGB_LOCK_WANTED);
    }
    for (const std::string& glob : globs_.data) {
        // One with a wildcard may share its end with a lock, and one that is too long has lost its beginning.
        // What finds no room costs a look, and no more: while another list comes, the map has both.
        if (!has_wildcard(glob) && glob.size() < EGB_LOCK_SUFFIX &&
            patterns.keys.size() < EGB_LOCK_PATTERNS / 2 && !std::ranges::contains(globs_.patterns, glob)) {
            add(glob, EGB_LOCK_UNWANTED);
        }
    }
    return patterns;
}

Result<> Names::check_name(std::string_view word) {
    if (word.find('/') != std::string_view::npos) {
        return fail(ErrorCode::invalid, "a glob for the last part of a path, without a slash");
    }
    if (fixed_end(word).empty()) {
        return fail(ErrorCode::invalid,
                    "a glob that ends with something else than a wildcard, as *.lock does");
    }
    return {};
}

Result<> Names::check_path(std::string_view word) {
    if (!word.starts_with('/') && !word.starts_with('*')) {
        return fail(ErrorCode::invalid, "a glob for a whole path, such as /srv/*.lock or */state.lock");
    }
    return {};
}

Result<> Names::check_known_lock(std::string_view word) {
    const auto folder = word.substr(0, word.size() - last_part(word).size());
    if (folder.find_first_not_of("*?[]/") == std::string_view::npos) {
        return fail(ErrorCode::invalid, "a glob for a path in a folder that it names, such as */.git/*.lock");
    }
    return check_path(word);
}

Result<> Names::check_program(std::string_view word) {
    if (word.find_first_of("/*?[]") != std::string_view::npos) {
        return fail(ErrorCode::invalid, "a command, without a folder and without wildcards");
    }
    return {};
}

} // namespace egb::lockfile
