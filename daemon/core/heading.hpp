// SPDX-License-Identifier: Apache-2.0
// Words that stand over something.
#pragma once

#include <string>
#include <string_view>

namespace egb {

/// "held by" as "Held by".
[[nodiscard]] std::string capitalised(std::string_view words);

} // namespace egb
