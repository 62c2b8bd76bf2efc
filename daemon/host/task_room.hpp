// SPDX-License-Identifier: Apache-2.0
// How many tasks may still be started where a process lives: pids.max of its control group and those around
// it, and the machine's own limit.
#pragma once

#include "core/result.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <filesystem>

namespace egb::host {

/// The tightest of these limits. A control group that is not to be seen from here does not count.
[[nodiscard]] Result<TaskRoom> task_room_of(const ProcFs& procfs, std::int32_t pid,
                                            const std::filesystem::path& cgroups = "/sys/fs/cgroup");

} // namespace egb::host
