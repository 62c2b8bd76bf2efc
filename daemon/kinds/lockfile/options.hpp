// SPDX-License-Identifier: Apache-2.0
// The section [lockfile] of the configuration, and the lists that belong to it: lists/ has them.
#pragma once

#include "core/option.hpp"
#include "kinds/lockfile/names.hpp"
#include "lockfile_lists.hpp"

#include <array>
#include <string_view>

namespace egb::lockfile {

inline constexpr std::array<std::string_view, 4> see_choices{"auto", "timestamps", "fexit", "fanotify"};

inline constexpr std::array options{
    OptionSpec{
        .name = "LockAfter",
        .type = OptionType::span,
        .preset = "10s",
        .help = "A lock file is a ghost when all its owners have been dead for this long.",
    },
    OptionSpec{
        .name = "Patterns",
        .type = OptionType::list,
        .preset = "*.lock *.lck *.lk SingletonLock lockdir *.lockdir",
        .help = "Names that a lock may have, as globs for the last part of its path. Only files that were "
                "created exclusively under such a name are looked at; what is known to be data "
                "(Cargo.lock and its like) never is, whatever stands here.",
        .check = &Names::check_name,
    },
    OptionSpec{
        .name = "DataFiles",
        .type = OptionType::list,
        .preset = "",
        .help = "More names of files that are no locks, though a pattern matches them.",
        .check = &Names::check_name,
    },
    OptionSpec{
        .name = "Only",
        .type = OptionType::list,
        .preset = "",
        .help = "Which locks may be acted upon, as globs for their whole path; no word at all means every "
                "lock. What is out of bounds is still reported, and never acted upon.",
        .check = &Names::check_path,
    },
    OptionSpec{
        .name = "Except",
        .type = OptionType::list,
        .preset = "",
        .help =
            "Locks that are never acted upon, whatever Only= says, as globs for their whole path: they are "
            "still reported. "
            "Those of package managers, databases and /etc/passwd are among them anyway.",
        .check = &Names::check_path,
    },
    OptionSpec{
        .name = "MostBytes",
        .type = OptionType::count,
        .preset = "65536",
        .help = "A larger file is only reported: a lock has no content worth the name.",
        .most = 1'048'576,
    },
    OptionSpec{
        .name = "See",
        .type = OptionType::choice,
        .preset = "auto",
        .help =
            "How it is seen that files are made: by the kernel's tracepoints where an inode gets its times "
            "(Linux 6.13), by programs that run when the kernel's functions return (Linux 6.1), by what "
            "fanotify says of names (Linux 5.17), which never proves a ghost, or by the first of these that "
            "works. "
            "Another way is taken at the next start.",
        .choices = see_choices,
    },
};

inline constexpr std::array known_names{
    ListSpec{.name = "data-files", .text = lists::data_files, .check = &Names::check_name},
    ListSpec{.name = "known-locks", .text = lists::known_locks, .check = &Names::check_known_lock},
    ListSpec{.name = "copying-programs", .text = lists::copying_programs, .check = &Names::check_program},
    ListSpec{.name = "protected-files", .text = lists::protected_files, .check = &Names::check_path},
};

} // namespace egb::lockfile
