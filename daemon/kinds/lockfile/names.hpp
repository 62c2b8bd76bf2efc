// SPDX-License-Identifier: Apache-2.0
// What names say: which ones may be locks at all, and which are known to be something else. Pure.
#pragma once

#include "bpf/lockfile.h"
#include "core/option.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::lockfile {

struct Globs {
    std::vector<std::string> patterns{}; ///< of names that may be locks
    std::vector<std::string> data{};     ///< of names that are none
    std::vector<std::string> known{};    ///< of paths that are those of locks, whatever is in them
    std::vector<std::string> only{};     ///< of paths that may be acted upon; none: all
    std::vector<std::string> except{};   ///< of paths that are only explained
    std::vector<std::string> listed{};   ///< the same, by the list
    std::vector<std::string> copying{};  ///< no globs: commands
};

/// What the configuration says, with what is known anyway.
[[nodiscard]] Globs globs_of(const OptionValues& section);

class Names {
public:
    explicit Names(Globs globs) : globs_{std::move(globs)} {}

    /// Whether the last part of the path may be a lock.
    [[nodiscard]] bool may_be_lock(std::string_view path) const;

    /// Whether that is said to be the name of a data file, by a name that could be that of a lock.
    [[nodiscard]] bool is_data(std::string_view path) const;

    /// Whether the path is one that is never acted upon.
    [[nodiscard]] bool is_protected(const std::string& path) const;

    /// Whether that is said by the configuration, and not by the list. What that has is a program's in a
    /// container, too, but the whole of a container lies in one of these folders.
    [[nodiscard]] bool is_excepted(const std::string& path) const;

    /// Whether the path is one that may be acted upon, if nothing else speaks against it.
    [[nodiscard]] bool is_in_bounds(const std::string& path) const;

    /// Whether the configuration says anything of paths.
    [[nodiscard]] bool has_bounds() const { return !globs_.only.empty() || !globs_.except.empty(); }

    /// Whether the path is that of a lock whatever is in it.
    [[nodiscard]] bool is_known_lock(const std::string& path) const;

    /// Whether that program makes files for others, or copies of them.
    [[nodiscard]] bool copies(std::string_view command) const;

    /// The same for the kernel side, which knows no globs: at least those that may be locks, and without
    /// those whose whole name says that they are none.
    struct KernelPatterns {
        std::vector<egb_lock_pattern> keys;
        std::vector<std::uint32_t> values;
    };
    [[nodiscard]] KernelPatterns for_kernel() const;

    /// Of an option: a glob for a name has no slash, and something at its end that is not a wildcard.
    [[nodiscard]] static Result<> check_name(std::string_view word);
    /// A glob for a path begins with a slash or a star.
    [[nodiscard]] static Result<> check_path(std::string_view word);
    /// One for locks that may have any content names a folder: it is not to stand for everything.
    [[nodiscard]] static Result<> check_known_lock(std::string_view word);
    [[nodiscard]] static Result<> check_program(std::string_view word);

private:
    Globs globs_;
};

} // namespace egb::lockfile
