// SPDX-License-Identifier: Apache-2.0
// Time spans as systemd writes them: "90", "1min 30s", "1.5h", "500ms", "infinity".
#pragma once

#include "core/clock.hpp"
#include "core/result.hpp"

#include <string>
#include <string_view>

namespace egb {

/// Every unit that systemd.time(7) knows, and ns; a bare number is seconds, "infinity" is `forever`.
[[nodiscard]] Result<Span> parse_span(std::string_view text);

/// For people: the largest unit and the one below it: "1min 30s", "3d 4h".
[[nodiscard]] std::string format_span(Span span);

/// For files: every unit there is, so that parse_span() gives the same again.
[[nodiscard]] std::string exact_span(Span span);

} // namespace egb
