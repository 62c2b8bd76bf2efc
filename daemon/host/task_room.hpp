// SPDX-License-Identifier: Apache-2.0
// What the control groups around a process let it do: how many tasks may still be started there, by pids.max
// and the machine's own limit, and whether it may run at all.
#pragma once

#include "core/result.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <filesystem>

namespace egb::host {

/// The tightest of these limits. A control group that is not to be seen from here does not count.
[[nodiscard]] Result<TaskRoom> task_room_of(const ProcFs& procfs, std::int32_t pid,
                                            const std::filesystem::path& cgroups = "/sys/fs/cgroup");

/// Whether its control group, or one around it, is frozen: /proc does not say so of a process. What is not to
/// be seen from here is not.
[[nodiscard]] bool is_frozen(const ProcFs& procfs, std::int32_t pid,
                             const std::filesystem::path& cgroups = "/sys/fs/cgroup");

} // namespace egb::host
