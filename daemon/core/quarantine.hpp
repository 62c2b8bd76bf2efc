// SPDX-License-Identifier: Apache-2.0
// Where files go that are taken out of their place: nothing is ever just deleted.
#pragma once

#include "core/clock.hpp"
#include "core/ghost.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace egb {

enum class FileType : std::uint8_t { regular, directory, link, other };

[[nodiscard]] std::string_view to_string(FileType type);
[[nodiscard]] Result<FileType> parse_file_type(std::string_view text);

/// A file with everything that it takes to put it back.
struct QuarantinedFile {
    std::string path;                ///< absolute, as its mount namespace has it
    std::uint64_t mount_namespace{}; ///< its inode; means something to one boot only
    FileType type{FileType::regular};
    std::uint32_t mode{}; ///< permission bits
    std::uint32_t uid{};
    std::uint32_t gid{};
    std::int64_t accessed_ns{}; ///< since 1970, as both below
    std::int64_t modified_ns{};
    std::string content;                           ///< of a regular file; where a link points to
    std::map<std::string, std::string> attributes; ///< extended ones, by name

    bool operator==(const QuarantinedFile&) const = default;
};

/// As a list shows it: without content.
struct QuarantineRow {
    GhostId ghost{};
    std::string kind;
    WallTime since;
    std::string path;
    FileType type{FileType::regular};
    std::uint64_t size{};

    bool operator==(const QuarantineRow&) const = default;
};

class Quarantine {
public:
    virtual ~Quarantine() = default;

    /// On the disk when it returns without an error: only then may the file go. `busy` when there is no room
    /// for it.
    [[nodiscard]] virtual Result<> keep(const Ghost& ghost, const QuarantinedFile& file) = 0;

    /// `not_found` when there is none of this ghost, or no longer.
    [[nodiscard]] virtual Result<QuarantinedFile> find(GhostId ghost) const = 0;

    /// It is back in its place, or has never left it.
    [[nodiscard]] virtual Result<> drop(GhostId ghost) = 0;
};

} // namespace egb
