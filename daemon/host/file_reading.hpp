// SPDX-License-Identifier: Apache-2.0
// What there is to know of a file that is open with O_PATH: nothing happens to it, and nobody is kept
// waiting.
#pragma once

#include "core/ownership.hpp"
#include "core/quarantine.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/files.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace egb::host {

struct FileStatus {
    FileIdentity id;
    FileType type{FileType::regular};
    std::uint32_t mode{}; ///< permission bits, and those that lend rights
    std::uint32_t uid{};
    std::uint32_t gid{};
    std::uint64_t size{};
    std::uint32_t links{};
    std::int64_t accessed_ns{};
    std::int64_t modified_ns{};
    std::int64_t changed_ns{};
    bool is_mount_point{};

    bool operator==(const FileStatus&) const = default;
};

[[nodiscard]] Result<FileStatus> status_of(const Fd& file);

/// In one call, of what has that name just now.
[[nodiscard]] Result<FileStatus> status_in(const Fd& directory, const std::string& name);

/// Which file it is. No file server is asked: what it would have to say is known since the file was opened.
[[nodiscard]] Result<FileIdentity> identity_of(int fd);

/// What whoever asks about it may be told by; who holds and locks it is not among that. No file server is
/// asked here, either.
[[nodiscard]] Result<AskedFile> asked_file(int fd);

/// The same file, opened to be read. Only for regular files and directories: others may do something when
/// they are opened.
[[nodiscard]] Result<Fd> reopen(const Fd& file);

/// The beginning of a regular file, without a trace in its access time where that is allowed.
[[nodiscard]] Result<std::string> content_of(const Fd& file, std::size_t most);

[[nodiscard]] Result<std::string> target_of_link(const Fd& link);

/// The entries of a directory.
[[nodiscard]] Result<std::vector<std::string>> names_in(const Fd& directory);

/// Whether a directory has no entries.
[[nodiscard]] Result<bool> is_empty(const Fd& directory);

/// Extended attributes, as far as they let themselves be seen; `denied` when their values are more bytes than
/// `most`.
[[nodiscard]] Result<std::map<std::string, std::string>> attributes_of(const Fd& file, std::size_t most);

/// A path by which a call that takes only paths finds an open file.
[[nodiscard]] std::string way_to(int fd);
[[nodiscard]] std::string way_to(const Fd& file);

} // namespace egb::host
