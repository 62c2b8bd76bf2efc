// SPDX-License-Identifier: Apache-2.0
// Our types as the bus carries them: text that is UTF-8 whatever a process calls itself, times and spans as
// microseconds.
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace egb::bus {

/// Text that may have line breaks, but nothing that is not UTF-8: the bus would refuse the whole message.
[[nodiscard]] std::string wire_text(std::string_view text);

[[nodiscard]] std::uint64_t wire_time(WallTime time);
[[nodiscard]] std::uint64_t wire_span(Span span);

/// The largest number, and all that do not fit, are `forever`.
[[nodiscard]] Span span_of_usec(std::uint64_t usec);

} // namespace egb::bus
