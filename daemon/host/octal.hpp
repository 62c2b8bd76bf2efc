// SPDX-License-Identifier: Apache-2.0
// How tables of a path and more, a line each, write the paths: blanks and the like stand as \040 there.
#pragma once

#include <string>
#include <string_view>

namespace egb::host {

[[nodiscard]] std::string without_octal(std::string_view text);

} // namespace egb::host
