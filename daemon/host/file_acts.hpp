// SPDX-License-Identifier: Apache-2.0
// The hands of host/sys.hpp for files: into quarantine, and back. Used on the loop.
//
// A file is kept before it is touched. Then it is claimed, by a rename to a hidden name in the same
// directory: from there on nobody finds it by its name, and it can be looked at in peace. What does not fit
// is put back, never over what has its name by then. Names are never trusted to stand for the same file
// twice: everything is done in a directory that is held open, and to an inode that was looked at.
#pragma once

#include "core/quarantine.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/files.hpp"
#include "host/mount_roots.hpp"
#include "host/procfs.hpp"
#include "host/socket_target.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace egb::host {

/// The very file that was judged, as it was then.
struct FileTarget {
    FileName name; ///< the path of a FileSight, without links: what is one by now is refused
    FileIdentity id;
    std::int64_t changed_ns{};
    std::uint64_t most_bytes{}; ///< a larger one is left alone
};

/// Whether, now that nobody finds it by its name any more, it may go; an error means that it must be put
/// back. `fd` is a descriptor of ours, opened with O_PATH.
using LastLook = std::function<Result<>(int fd)>;

/// Where a file goes, and as whose.
struct Keeper {
    Quarantine& quarantine;
    const Ghost& ghost;
};

/// What has become of a file that was left half way.
enum class Whereabouts : std::uint8_t { in_place, gone };

class FileActs {
public:
    explicit FileActs(const ProcFs& procfs) : roots_{procfs} {}

    /// Only what has one name, lies on a file system of this machine alone, is no mount point, lends nobody
    /// rights, and is a regular file, a symbolic link or an empty directory; anything else is `denied`.
    /// `not_found` when it is gone by itself, `changed` when it is not what was judged.
    [[nodiscard]] Result<> quarantine(const FileTarget& target, const LastLook& last_look,
                                      const Keeper& keeper, Earnest earnest);

    /// Only into the very directory from which it came: another one of that name may be anybody's. `busy`
    /// when its name is taken.
    [[nodiscard]] Result<std::string> restore(const QuarantinedFile& file, Earnest earnest);

    /// An error means that nobody can tell, or that it cannot be put back for now.
    [[nodiscard]] Result<Whereabouts> recover(const QuarantinedFile& file, Earnest earnest);

private:
    MountRoots roots_;
};

} // namespace egb::host
