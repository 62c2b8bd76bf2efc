// SPDX-License-Identifier: Apache-2.0
// What fanotify(7) says of the names of files: bytes in, names out. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace egb::host {

/// A name in a directory, wherever that is, as it is told.
struct NamePlace {
    std::uint64_t file_system{}; ///< its number, as statfs(2) has it
    std::string folder;          ///< the directory's file handle, as open_by_handle_at(2) takes it
    std::string name;

    auto operator<=>(const NamePlace&) const = default;
};

struct NameNews {
    enum class What : std::uint8_t {
        made,   ///< a file that got a name there, and that nothing had before
        left,   ///< what had that name there has it no longer, or another has it now
        missed, ///< more has happened than was kept; there is no place
    };

    What what{};
    std::size_t event{}; ///< which of those that were read at once, from 0
    NamePlace place{};
    std::string file{}; ///< the file's own handle, where it was made

    bool operator==(const NameNews&) const = default;
};

/// What was read at once from a queue.
struct NameReading {
    std::size_t events{};
    std::vector<NameNews> news;
};

/// What does not make sense is an event without news.
[[nodiscard]] NameReading read_names(std::span<const std::byte> bytes);

} // namespace egb::host
