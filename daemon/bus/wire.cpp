// SPDX-License-Identifier: Apache-2.0
#include "bus/wire.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <chrono>

namespace egb::bus {

using std::chrono::duration_cast;
using std::chrono::microseconds;

std::string wire_text(std::string_view text) {
    if (is_utf8(text) && !text.contains('\0')) {
        return std::string{text};
    }
    return printable(text);
}

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) {
        return std::string{text};
    }
    auto end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return std::string{text.substr(0, end)} + "...";
}

std::uint64_t wire_time(WallTime time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(time.time_since_epoch().count(), 0));
}

std::uint64_t wire_span(Span span) {
    if (span == forever) {
        return UINT64_MAX;
    }
    return static_cast<std::uint64_t>(std::max<std::int64_t>(duration_cast<microseconds>(span).count(), 0));
}

Span span_of_usec(std::uint64_t usec) {
    constexpr auto most = static_cast<std::uint64_t>(duration_cast<microseconds>(forever).count());
    return usec > most ? forever : microseconds{static_cast<std::int64_t>(usec)};
}

} // namespace egb::bus
