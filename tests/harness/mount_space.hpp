// SPDX-License-Identifier: Apache-2.0
// A process that lives in a mount namespace of its own, with a fresh tmpfs where the test wants one, or a
// folder that is elsewhere, too. It ends with this.
#pragma once

#include "host/fd.hpp"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace egb::test {

class MountSpace {
public:
    /// Throws std::system_error; making a namespace takes CAP_SYS_ADMIN.
    explicit MountSpace(const std::filesystem::path& where, const std::filesystem::path& shown = {});
    ~MountSpace();
    MountSpace(const MountSpace&) = delete;
    MountSpace& operator=(const MountSpace&) = delete;

    [[nodiscard]] pid_t pid() const { return child_; }
    [[nodiscard]] std::uint64_t inode() const;

    /// Where the test finds what that process finds at `path`.
    [[nodiscard]] std::filesystem::path seen_from_here(const std::filesystem::path& path) const;

private:
    host::Fd end_; ///< of a pipe that the child reads from; its closing is the child's end
    pid_t child_{-1};
};

/// The inode of the mount namespace that the test lives in.
[[nodiscard]] std::uint64_t own_mount_namespace();

} // namespace egb::test
