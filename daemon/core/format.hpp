// SPDX-License-Identifier: Apache-2.0
// Text with values in it. std::format is compiled anew in every file that calls it, which takes longer than
// the rest of most of our files; here that is done once. The check against the arguments' types stays with
// the caller's compiler.
#pragma once

#include <format>
#include <string>
#include <string_view>

namespace egb {

[[nodiscard]] std::string formatted_from(std::string_view text, std::format_args arguments);

/// What std::format gives.
template <typename... Args>
[[nodiscard]] std::string formatted(std::format_string<Args...> text, Args&&... args) {
    return formatted_from(text.get(), std::make_format_args(args...));
}

} // namespace egb
