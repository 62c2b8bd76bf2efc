// SPDX-License-Identifier: Apache-2.0
// Bytes from outside as text. Process names, paths and files have no encoding; JSON, D-Bus and terminals want
// one.
#pragma once

#include <string>
#include <string_view>

namespace egb {

/// Well-formed as Unicode has it: no surrogates, no overlong forms.
[[nodiscard]] bool is_utf8(std::string_view text);

/// The text with \xNN for every control character and every byte that is not UTF-8, so that a process cannot
/// name itself into a terminal escape, or out of a JSON document.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace egb
