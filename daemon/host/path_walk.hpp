// SPDX-License-Identifier: Apache-2.0
// From the root of a mount namespace to a file, one name at a time. The kernel could walk by itself, but it
// would go anywhere: into a network or FUSE file system that answers never, and then neither do we.
#pragma once

#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/procfs.hpp"
#include "host/site.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace egb::host {

/// Whether symbolic links on the way are followed; within the root, as a process that lives there would. One
/// at the end is, too, only where that is said.
enum class Links : std::uint8_t { followed, followed_to_the_end, refused };

/// Where a walk has ended.
struct Spot {
    Fd fd;                   ///< opened with O_PATH; none when it is on a foreign file system
    std::string path;        ///< without links; as far as the walk went
    std::string file_system; ///< "ext4"; empty when the mount is not known
    Site site{};             ///< of the file, when it is local
    bool is_local{};         ///< of this machine alone
};

/// A foreign file system is not entered: then `is_local` is false, and there is no descriptor.
[[nodiscard]] Result<Spot> walk(const MountRoot& root, std::string_view path, Links links);

/// One name in a directory, which is no "..", if it is no mount point. Never a link's target.
[[nodiscard]] Result<Fd> open_entry(const Fd& folder, const std::string& name);

} // namespace egb::host
