// SPDX-License-Identifier: Apache-2.0
// Doing something inside another network namespace.
#pragma once

#include "core/result.hpp"
#include "host/fd.hpp"

#include <functional>

namespace egb::host {

/// Calls `work` with this thread inside the namespace, and comes back whatever it returns. Needs
/// CAP_SYS_ADMIN. A thread that cannot come back would see another network than it believes: that ends the
/// process.
[[nodiscard]] Result<> in_net_namespace(const Fd& target, const std::function<Result<>()>& work);

/// Whether the kernel may change addresses or ports of packets on their way within this machine: then the two
/// ends of a connection need not know each other's addresses. True when it cannot be told.
[[nodiscard]] bool translates_addresses();

} // namespace egb::host
