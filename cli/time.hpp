// SPDX-License-Identifier: Apache-2.0
// Times as people say them. The spans themselves are read and written by core/time_span.hpp.
#pragma once

#include "core/clock.hpp"
#include "core/result.hpp"
#include "terminal.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace egb::cli {

[[nodiscard]] WallTime wall_now();

/// The bus speaks of microseconds; what does not fit is for ever.
[[nodiscard]] WallTime wall_of(std::uint64_t usec);
[[nodiscard]] Span span_of(std::uint64_t usec);
[[nodiscard]] std::uint64_t usec_of(WallTime time);
/// `forever` is UINT64_MAX.
[[nodiscard]] std::uint64_t usec_of(Span span);

/// "3d 4h", "12s": whole seconds when it is one or more.
[[nodiscard]] std::string age(Span span);

enum class Known : std::uint8_t { exactly, at_least };
/// The age of something that may be older than what is known of it: "≥ 3h".
[[nodiscard]] std::string age(Span span, Known known, Charset charset);

/// "5min 2s ago", or "in 3s" for what is to come.
[[nodiscard]] std::string relative(WallTime time, WallTime now);

/// "Fri 2025-11-21 11:43:23 CET"
[[nodiscard]] std::string stamp(WallTime time);
/// "2025-11-21 11:43:23"
[[nodiscard]] std::string short_stamp(WallTime time);
/// "11:43:23"
[[nodiscard]] std::string clock_stamp(WallTime time);

/// A moment as `journalctl --since` takes it: "2025-11-21 11:43", "11:43:23", today, yesterday, now, "2h
/// ago",
/// "-2h"; and, because nobody looks for the history of the future, "2h" for "2h ago".
[[nodiscard]] Result<WallTime> parse_moment(std::string_view text, WallTime now);

} // namespace egb::cli
