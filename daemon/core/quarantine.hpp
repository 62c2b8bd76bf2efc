// SPDX-License-Identifier: Apache-2.0
// Where files go that are taken out of their place: nothing is ever just deleted.
#pragma once

#include "core/clock.hpp"
#include "core/ghost.hpp"
#include "core/identity.hpp"
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
    std::string path; ///< absolute, as its mount namespace has it, and without links
    /// Its inode, which means something to one boot only; 0 for that of the machine itself, and for one of an
    /// earlier boot.
    std::uint64_t mount_namespace{};
    std::string
        hidden_name{}; ///< in the same directory: what it is called between its place and the quarantine
    FileIdentity id{}; ///< which file it was
    FileIdentity directory{}; ///< in which it was
    FileType type{FileType::regular};
    std::uint32_t mode{}; ///< as chmod(2) takes it
    std::uint32_t uid{};
    std::uint32_t gid{};
    std::int64_t accessed_ns{}; ///< since 1970, as both below
    std::int64_t modified_ns{};
    std::string content{};                           ///< of a regular file; where a link points to
    std::map<std::string, std::string> attributes{}; ///< extended ones, by name

    bool operator==(const QuarantinedFile&) const = default;
};

/// Whether it is known that a file is out of its place.
enum class Custody : std::uint8_t {
    underway, ///< it may be in its place, under its hidden name, or gone: only a look can tell
    kept,
};

/// A file, whose it is, and how far it has come.
struct Ward {
    GhostId ghost{};
    Custody custody{Custody::underway};
    QuarantinedFile file;

    bool operator==(const Ward&) const = default;
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

struct QuarantinePage {
    std::uint32_t total{}; ///< on all pages
    std::vector<QuarantineRow> rows;
};

class Quarantine {
public:
    virtual ~Quarantine() = default;

    /// It is about to be taken out of its place: `underway`. On the disk when it returns without an error:
    /// only then may the file be touched. `busy` when there is no room for it.
    [[nodiscard]] virtual Result<> keep(const Ghost& ghost, const QuarantinedFile& file) = 0;

    /// It is out of its place: `kept`.
    [[nodiscard]] virtual Result<> settle(GhostId ghost) = 0;

    /// It is back in its place, or has never left it.
    [[nodiscard]] virtual Result<> drop(GhostId ghost) = 0;

    /// Neither it nor its folder can be found: it is kept no longer than any other.
    [[nodiscard]] virtual Result<> give_up(GhostId ghost) = 0;

    /// `not_found` when there is none of this ghost, or no longer.
    [[nodiscard]] virtual Result<Ward> find(GhostId ghost) const = 0;

    /// All that a crash has left half way.
    [[nodiscard]] virtual Result<std::vector<Ward>> underway() const = 0;
};

} // namespace egb
