// SPDX-License-Identifier: Apache-2.0
#include "time.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iomanip>
#include <optional>
#include <sstream>

namespace egb::cli {

namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

std::tm local(WallTime time) {
    const std::time_t at = std::chrono::system_clock::to_time_t(std::chrono::floor<seconds>(time));
    std::tm parts{};
    localtime_r(&at, &parts);
    return parts;
}

std::string in_local_time(WallTime time, const char* format) {
    const auto parts = local(time);
    std::ostringstream text;
    text << std::put_time(&parts, format);
    return std::move(text).str();
}

WallTime midnight(WallTime now, int days) {
    auto parts = local(now);
    parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
    parts.tm_mday += days;
    parts.tm_isdst = -1;
    return std::chrono::time_point_cast<microseconds>(
        std::chrono::system_clock::from_time_t(std::mktime(&parts)));
}

/// Reads one of the written forms whole, on top of what `parts` already says.
std::optional<std::tm> read(const std::string& text, const char* format, std::tm parts) {
    const char* end = strptime(text.c_str(), format, &parts);
    return end != nullptr && *end == '\0' ? std::optional{parts} : std::nullopt;
}

std::optional<WallTime> parse_written(const std::string& text, WallTime now) {
    auto today = local(now);
    today.tm_hour = today.tm_min = today.tm_sec = 0;
    for (const char* format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M"}) {
        if (auto parts = read(text, format, today)) {
            const auto day = parts->tm_mday;
            parts->tm_isdst = -1;
            const auto at = std::mktime(&*parts);
            // mktime() makes 2 March of 30 February; we make it a mistake.
            if (at != -1 && parts->tm_mday == day) {
                return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::from_time_t(at));
            }
        }
    }
    return std::nullopt;
}

} // namespace

WallTime wall_now() {
    return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
}

WallTime wall_of(std::uint64_t usec) {
    constexpr auto most = static_cast<std::uint64_t>(microseconds::max().count());
    return WallTime{microseconds{static_cast<microseconds::rep>(std::min(usec, most))}};
}

Span span_of(std::uint64_t usec) {
    constexpr auto most = static_cast<std::uint64_t>(std::chrono::floor<microseconds>(forever).count());
    return usec > most ? forever : microseconds{static_cast<microseconds::rep>(usec)};
}

std::uint64_t usec_of(WallTime time) {
    const auto count = time.time_since_epoch().count();
    return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

std::uint64_t usec_of(Span span) {
    if (span == forever) {
        return UINT64_MAX;
    }
    const auto count = std::chrono::floor<microseconds>(span).count();
    return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

std::string age(Span span) {
    if (span == forever || span < Span::zero()) {
        return format_span(std::max(span, Span::zero()));
    }
    if (span >= seconds{1}) {
        return format_span(std::chrono::floor<seconds>(span));
    }
    return format_span(std::chrono::floor<std::chrono::milliseconds>(span));
}

std::string age(Span span, Known known, Charset charset) {
    if (known == Known::exactly) {
        return age(span);
    }
    return formatted("{} {}", charset == Charset::utf8 ? "≥" : ">=", age(span));
}

std::string relative(WallTime time, WallTime now) {
    return time > now ? formatted("in {}", age(time - now)) : formatted("{} ago", age(now - time));
}

std::string stamp(WallTime time) {
    return in_local_time(time, "%a %Y-%m-%d %H:%M:%S %Z");
}

std::string short_stamp(WallTime time) {
    return in_local_time(time, "%Y-%m-%d %H:%M:%S");
}

std::string clock_stamp(WallTime time) {
    return in_local_time(time, "%H:%M:%S");
}

Result<WallTime> parse_moment(std::string_view text, WallTime now) {
    if (text == "now") {
        return now;
    }
    if (text == "today") {
        return midnight(now, 0);
    }
    if (text == "yesterday") {
        return midnight(now, -1);
    }
    if (const auto written = parse_written(std::string{text}, now)) {
        return *written;
    }
    auto span_text = text;
    if (span_text.starts_with('-')) {
        span_text.remove_prefix(1);
    } else if (span_text.ends_with(" ago")) {
        span_text.remove_suffix(4);
    }
    const auto span = parse_span(span_text);
    if (!span || *span == forever) {
        return fail(ErrorCode::invalid,
                    "expected a time such as \"2025-11-21 11:43\", 11:43, today, yesterday or \"2h ago\", "
                    "not \"{}\"",
                    text);
    }
    return now - std::chrono::floor<microseconds>(*span);
}

} // namespace egb::cli
