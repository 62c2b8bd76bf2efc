// SPDX-License-Identifier: Apache-2.0
// A name in a directory that is held open. What is done by it is done in that very directory, wherever that
// is moved meanwhile.
#pragma once

#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/file_reading.hpp"
#include "host/files.hpp"
#include "host/mount_roots.hpp"

#include <cstdint>
#include <string>

namespace egb::host {

struct FilePlace {
    Fd directory; ///< opened with O_PATH
    FileIdentity directory_id;
    std::uint64_t mount_namespace{};
    std::string path; ///< of the file
    std::string name; ///< its last part
};

/// What has a name.
struct Entry {
    Fd fd; ///< opened with O_PATH
    FileStatus status;
};

/// No symbolic link is followed: `changed` when there is one on the way. `unsupported` on a file system that
/// is not of this machine alone.
[[nodiscard]] Result<FilePlace> place_of(MountRoots& roots, const FileName& name);

/// `not_found` when nothing has that name there, `denied` when it is a mount point.
[[nodiscard]] Result<Entry> entry_at(const FilePlace& place, const std::string& name);

/// Never over another one: `busy` when there is something of the new name.
[[nodiscard]] Result<> rename_in(const FilePlace& place, const std::string& from, const std::string& to);

[[nodiscard]] Result<> remove_from(const FilePlace& place, const std::string& name, FileType type);

/// What has been renamed and removed there is so after a power cut, too.
[[nodiscard]] Result<> sync_directory(const FilePlace& place);

/// A name that nobody has.
[[nodiscard]] Result<std::string> hidden_name();

} // namespace egb::host
