// SPDX-License-Identifier: Apache-2.0
// Real TCP connections over loopback, brought into the states that the kind `tcp` looks for.
#pragma once

#include "host/fd.hpp"

#include <netinet/in.h>

#include <cstdint>
#include <functional>

namespace egb::test {

enum class Family : std::uint8_t { ipv4, ipv6, v4_mapped };

/// Two ends of a connection. `ours` is the accepted one.
struct Connection {
    host::Fd ours;
    host::Fd peer;

    /// The peer has closed, we have not: `ours` is in CLOSE_WAIT.
    void close_peer() { peer.reset(); }
    /// The peer has shut its sending half and still reads: `ours` is in CLOSE_WAIT, `peer` in FIN_WAIT2.
    void half_close_peer() const;
};

/// Connects over loopback, in the network namespace of the calling thread. Throws std::system_error.
[[nodiscard]] Connection connect_loopback(Family family);

/// Connects IPv4 sockets with the very addresses and ports of another connection, in another network
/// namespace.
[[nodiscard]] Connection connect_twin_of(const Connection& other);

/// A client that is connected again and again, and left in CLOSE_WAIT each time.
class ReusedClient {
public:
    ReusedClient();
    void connect_again();
    [[nodiscard]] const host::Fd& socket() const { return client_; }

private:
    void connect();

    sockaddr_in server_{};
    host::Fd listener_;
    host::Fd client_;
};

/// The socket's cookie.
[[nodiscard]] std::uint64_t cookie_of(const host::Fd& socket);

/// Runs `work` in a thread that lives in a new network namespace with its loopback up. The namespace lives on
/// for as long as a socket made there does.
void in_new_net_namespace(const std::function<void()>& work);

} // namespace egb::test
