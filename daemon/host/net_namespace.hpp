// SPDX-License-Identifier: Apache-2.0
// Doing something inside another network namespace.
#pragma once

#include "core/result.hpp"
#include "host/fd.hpp"

#include <cstdint>
#include <functional>

namespace egb::host {

/// Calls `work` with this thread inside the namespace, and comes back whatever it returns. Needs
/// CAP_SYS_ADMIN. A thread that cannot come back would see another network than it believes: that ends the
/// process.
[[nodiscard]] Result<> in_net_namespace(const Fd& target, const std::function<Result<>()>& work);

/// The inode of the one that this thread is in; 0 when that cannot be seen.
[[nodiscard]] std::uint64_t own_net_namespace();

} // namespace egb::host
