// SPDX-License-Identifier: Apache-2.0
// The kernel's own interface for looking at one TCP socket, and for ending it: NETLINK_SOCK_DIAG, as ss(8)
// uses it. A socket is found by its addresses and its cookie, so that a successor with the same addresses is
// another.
#pragma once

#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/socket_target.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace egb::host {

class SockDiag {
public:
    /// Why we may not end sockets by it; empty when we may.
    [[nodiscard]] static std::string lack();

    /// For the network namespace that the calling thread is in.
    [[nodiscard]] static Result<SockDiag> open();

    /// Ends it if it still is what was judged, and looks again: not_found, changed, or why not.
    [[nodiscard]] Result<> destroy(const SocketTarget& target, Earnest earnest) const;

private:
    explicit SockDiag(Fd socket) : socket_{std::move(socket)} {}

    using OnReply = std::function<void(std::span<const std::byte> payload)>;
    [[nodiscard]] Result<> request(const SocketTarget& target, int type, int flags,
                                   const OnReply& on_reply) const;
    /// Whether it is as it was judged; not_found when it is no more.
    [[nodiscard]] Result<bool> look(const SocketTarget& target) const;

    Fd socket_;
};

} // namespace egb::host
