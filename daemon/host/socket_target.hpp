// SPDX-License-Identifier: Apache-2.0
// A TCP socket that something is to be done to, and what can be asked and answered about it.
#pragma once

#include "core/clock.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Of <linux/tcp.h> or <netinet/tcp.h>, which do not go together.
struct tcp_info; // NOLINT(readability-identifier-naming): the kernel's name

namespace egb::host {

/// A socket, by what the kernel gives to no other until it reboots, and as it was when it was judged: what
/// has moved since is not touched.
struct SocketTarget {
    std::uint64_t cookie{};
    std::uint64_t netns{}; ///< inode
    std::uint8_t state{};  ///< as <netinet/tcp.h> has them
    std::uint8_t family{};
    std::array<std::uint8_t, 16> local{}; ///< IPv4 in the first four bytes
    std::array<std::uint8_t, 16> remote{};
    std::uint16_t local_port{};
    std::uint16_t remote_port{};
    std::uint64_t bytes_sent{};
    std::uint64_t bytes_acked{};
    std::uint64_t bytes_received{};
    std::uint32_t receive_queue{};
    std::uint32_t send_queue{};
    std::uint32_t first_sequence{};                     ///< of the connection it is used for; 0: not known
    std::shared_ptr<const std::vector<Holder>> holders; ///< a way to it, where there is no other
};

/// How a socket's peer is asked: a second after the question, then every `interval`, `probes` times. A peer
/// that answers none of these is taken for gone, by the kernel.
struct NudgeTiming {
    Span interval{};
    std::uint32_t probes{};

    /// As the kernel takes them.
    [[nodiscard]] std::uint32_t interval_s() const;
    [[nodiscard]] std::uint32_t probe_count() const;

    bool operator==(const NudgeTiming&) const = default;
};

enum class PeerAnswer : std::uint8_t { none_yet, alive };

/// Whether an act is done, or everything of it but the harm: then the answer of what would have been done is
/// `denied`.
enum class Earnest : std::uint8_t { real, rehearsal };

/// Whoever is alive gets his own options back; with `all`, the others too.
enum class Release : std::uint8_t { answered, all };

/// What was judged, in the kernel's own count: nothing has moved since. The queues are not in it.
[[nodiscard]] bool is_as_judged(const SocketTarget& target, const tcp_info& info);

// Why a socket was left alone, or what came of it, by whichever way it was to be touched.
[[nodiscard]] std::unexpected<Error> no_longer_as_judged();
[[nodiscard]] std::unexpected<Error> only_rehearsed();
[[nodiscard]] std::unexpected<Error> asks_by_itself();
[[nodiscard]] std::unexpected<Error> still_there();

/// Whether this machine lets us do something: the way it is done, or why it cannot be.
struct Ability {
    std::string lack; ///< empty when it can be done
    std::string_view way{};
};

} // namespace egb::host
