// SPDX-License-Identifier: Apache-2.0
#include "host/socket_target.hpp"

#include <linux/tcp.h>

#include <algorithm>
#include <chrono>

namespace egb::host {

std::uint32_t NudgeTiming::interval_s() const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(interval).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 1, 32767));
}

std::uint32_t NudgeTiming::probe_count() const {
    return std::clamp<std::uint32_t>(probes, 1, 127);
}

bool is_as_judged(const SocketTarget& target, const tcp_info& info) {
    // The kernel counts the peer's FIN as a byte.
    const auto received = info.tcpi_bytes_received - (info.tcpi_bytes_received > 0 ? 1 : 0);
    return info.tcpi_state == target.state && info.tcpi_bytes_acked == target.bytes_acked &&
           info.tcpi_bytes_sent == target.bytes_sent && received == target.bytes_received;
}

std::unexpected<Error> no_longer_as_judged() {
    return fail(ErrorCode::changed, "it is no longer what was judged: it has moved, or left its state");
}

std::unexpected<Error> only_rehearsed() {
    return fail(ErrorCode::denied, "dry run: it is still what was judged, and nothing was done");
}

std::unexpected<Error> asks_by_itself() {
    return fail(ErrorCode::denied, "its application has the peer asked by itself, with SO_KEEPALIVE");
}

std::unexpected<Error> still_there() {
    return fail(ErrorCode::io, "the kernel says that it has ended it, but it is still there");
}

} // namespace egb::host
