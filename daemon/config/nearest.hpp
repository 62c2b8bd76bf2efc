// SPDX-License-Identifier: Apache-2.0
// What somebody may have meant who wrote a name that we do not know.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace egb::config {

/// "did you mean NAME?" when one is near enough, else "there are A, B and C".
[[nodiscard]] std::string suggestion(std::string_view wrong, std::span<const std::string_view> names);

} // namespace egb::config
