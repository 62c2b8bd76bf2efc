// SPDX-License-Identifier: Apache-2.0
// Which systemd unit and which container a control group belongs to. Pure: text in, names out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace egb::host {

struct CgroupNames {
    std::string unit;                  ///< the innermost unit, which in a user's session is the user's
    std::string container;             ///< the innermost container's id, or its name where it has no id
    std::vector<std::string> around{}; ///< all other units on the path, and slices, outermost first

    bool operator==(const CgroupNames&) const = default;
};

/// Reads them out of a path such as /system.slice/docker-<64 hex>.scope. Knows docker, podman, containerd,
/// CRI-O, Kubernetes, LXC and systemd's machines; what watches over a container from outside is not in it.
[[nodiscard]] CgroupNames names_of_cgroup(std::string_view path);

/// The same for the text of /proc/PID/cgroup. systemd's own hierarchy is asked first, where there are
/// several.
[[nodiscard]] CgroupNames names_of_cgroup_file(std::string_view text);

} // namespace egb::host
