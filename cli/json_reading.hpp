// SPDX-License-Identifier: Apache-2.0
// What the daemon tells in JSON, whatever version it is of: what is missing is empty.
#pragma once

#include "model.hpp"

#include <string>

namespace egb::cli {

/// Printable; a number or a flag as it is written.
[[nodiscard]] std::string text_of(const Json& object, const char* name);
[[nodiscard]] Json list_of(const Json& object, const char* name);
[[nodiscard]] Json object_of(const Json& object, const char* name);
[[nodiscard]] bool flag_of(const Json& object, const char* name);

} // namespace egb::cli
