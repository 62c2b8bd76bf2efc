// SPDX-License-Identifier: Apache-2.0
// Our types as the bus carries them: text that is UTF-8 whatever a process calls itself, times and spans as
// microseconds.
#pragma once

#include "core/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace egb::bus {

/// Text that may have line breaks, but nothing that is not UTF-8: the bus would refuse the whole message.
[[nodiscard]] std::string wire_text(std::string_view text);

/// What an error repeats of a caller's own words: enough to know them again.
inline constexpr std::size_t longest_echo = 64;

/// At most so many bytes of the text, never half a character; "..." stands for what was left out.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most = longest_echo);

[[nodiscard]] std::uint64_t wire_time(WallTime time);
[[nodiscard]] std::uint64_t wire_span(Span span);

/// The largest number, and all that do not fit, are `forever`.
[[nodiscard]] Span span_of_usec(std::uint64_t usec);

} // namespace egb::bus
