// SPDX-License-Identifier: Apache-2.0
// The unified hierarchy of control groups, as far as this process sees it.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <string_view>

namespace egb::host {

/// The kernel's id of a control group, which is never given twice. It is named by its path below the root of
/// the hierarchy, "/system.slice/ssh.service", or by the id itself. `not_found` when there is none.
[[nodiscard]] Result<std::uint64_t> cgroup_id(std::string_view name);

} // namespace egb::host
