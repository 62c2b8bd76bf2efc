// SPDX-License-Identifier: Apache-2.0
// Sockets by way of a process that holds them: a copy of its descriptor, from pidfd_getfd(2). For kernels
// that refuse the programs of bpf/socket_acts.bpf.c. What is known of a question is lost with the daemon, and
// the look and the act are two system calls: a keepalive probe does no harm to a socket that has moved in
// between.
#pragma once

#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/procfs.hpp"
#include "host/socket_target.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace egb::host {

class HeldSockets {
public:
    explicit HeldSockets(const ProcFs& procfs) : procfs_{procfs} {}

    /// Why it cannot be done here; empty when it can.
    [[nodiscard]] std::string lack() const;

    /// The descriptor's copy is checked to be this socket.
    [[nodiscard]] Result<Fd> borrow(const SocketTarget& target) const;

    /// The network namespace that the socket is in, whether any process lives there or not.
    [[nodiscard]] Result<Fd> net_namespace(const SocketTarget& target) const;

    [[nodiscard]] Result<> nudge(const SocketTarget& target, const NudgeTiming& timing, Earnest earnest);
    [[nodiscard]] Result<PeerAnswer> answer(const SocketTarget& target, Release release);
    [[nodiscard]] std::vector<SocketTarget> nudged() const;

private:
    using Options = std::array<int, 5>;

    /// A nudged socket's own options, those that it has meanwhile, and when its peer was last heard of.
    struct Nudge {
        SocketTarget target;
        Options before{};
        Options ours{};
        Instant heard;
    };

    static void put_back(const Fd& socket, const Nudge& nudge);

    const ProcFs& procfs_;
    std::map<std::uint64_t, Nudge> nudges_; ///< by cookie
};

} // namespace egb::host
