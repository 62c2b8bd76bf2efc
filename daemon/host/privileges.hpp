// SPDX-License-Identifier: Apache-2.0
// What this process may do beyond what its user may: capabilities(7).
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace egb::host {

/// Those of `wanted` (CAP_...) that this thread has not in effect, in the same order.
[[nodiscard]] std::vector<std::string_view> missing_privileges(std::span<const std::string_view> wanted);

} // namespace egb::host
