// SPDX-License-Identifier: Apache-2.0
// What lies under a name, in whatever mount namespace: a look that changes nothing. Used on the loop; each
// call takes some system calls.
#pragma once

#include "core/identity.hpp"
#include "core/quarantine.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/site.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace egb::host {

/// A name, as the processes of one mount namespace have it.
struct FileName {
    std::uint64_t mount_namespace{}; ///< its inode
    std::string path;                ///< absolute, from the root of that namespace

    auto operator<=>(const FileName&) const = default;
};

using egb::FileIdentity;

/// What was found.
struct FileSight {
    FileIdentity id;
    std::string path;          ///< the same file by a path without links; to where the look went
    std::int64_t changed_ns{}; ///< ctime
    FileType type{FileType::regular};
    std::uint32_t mode{}; ///< permission bits
    std::uint32_t uid{};
    std::uint32_t gid{};
    std::uint64_t size{};
    std::uint32_t links{};     ///< names it has
    std::string file_system{}; ///< "ext4", "tmpfs"
    Site site{};
    /// Of this machine alone: nothing of a network, of FUSE, or of another machine. Else it has not been
    /// asked, for it may not answer, and nothing but `path` and `file_system` is known.
    bool is_local{};
    bool is_mount_point{};
    bool is_empty{};       ///< a directory without entries
    std::string content{}; ///< the beginning of a small regular file; where a link points to

    bool operator==(const FileSight&) const = default;
};

/// How much of a file's content a look takes.
constexpr std::size_t content_looked_at = 128;

class Files {
public:
    virtual ~Files() = default;

    /// Links on the way are followed, one at the end is not. Where nobody lives in that namespace any more,
    /// the name is looked up in that of the machine itself: whether it is the same file, its identity says.
    /// `not_found` when nothing has that name; `denied` when we may not look.
    [[nodiscard]] virtual Result<FileSight> look(const FileName& name) = 0;

    /// The same for a file that is known. Once nobody lives in a mount namespace, its number is given to
    /// another, which may have nothing, or another file, under that name: a file of the machine is among the
    /// machine's own then, and `name` says so from now on.
    [[nodiscard]] Result<FileSight> find(FileName& name, const FileIdentity& id);

    /// A descriptor of ours for it, opened with O_PATH, if it is still that very file; else `changed`.
    [[nodiscard]] virtual Result<Fd> open(const FileName& name, const FileIdentity& id) = 0;

    /// Of which kind the file system is that has this device number, as the machine has it mounted: "ext4".
    /// Empty when that is not known.
    [[nodiscard]] virtual std::string file_system_of(std::uint64_t device) = 0;

    /// By which paths the machine's own mount namespace has what was found.
    [[nodiscard]] virtual std::vector<std::string> machine_paths(const FileSight& sight) = 0;

    /// Whether what was found lies in a folder that other machines are served.
    [[nodiscard]] virtual Result<bool> is_exported(const FileSight& sight) = 0;

private:
    /// The number of the machine's own mount namespace; 0, which leads there, too, when it is not known.
    [[nodiscard]] virtual std::uint64_t machines_own() = 0;
};

} // namespace egb::host
