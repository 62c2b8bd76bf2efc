// SPDX-License-Identifier: Apache-2.0
// What can be done to TCP sockets, in one pass of the kernel side for many (bpf/socket_acts.bpf.c). Where the
// kernel refuses that: by their holder's descriptor, and by netlink.
#pragma once

#include "core/clock.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/bpf_object.hpp"
#include "host/fd_store.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace egb::host {

/// A socket, by what the kernel gives to no other until it reboots, and as it was when it was judged: what
/// has moved since is not touched.
struct SocketTarget {
    std::uint64_t cookie{};
    std::uint64_t netns{}; ///< inode
    std::uint8_t state{};  ///< as <netinet/tcp.h> has them
    std::uint64_t bytes_sent{};
    std::uint64_t bytes_acked{};
    std::uint64_t bytes_received{};
    std::uint32_t receive_queue{};
    std::uint32_t send_queue{};
    std::vector<Holder> holders; ///< a way to it, where there is no other
};

/// How a socket's peer is asked: a second after the question, then every `interval`, `probes` times. A peer
/// that answers none of these is taken for gone, by the kernel.
struct NudgeTiming {
    Span interval{};
    std::uint32_t probes{};

    bool operator==(const NudgeTiming&) const = default;
};

enum class PeerAnswer : std::uint8_t { none_yet, alive };

/// Whether an act is done, or everything of it but the harm: then the answer of what would have been done is
/// `denied`.
enum class Earnest : std::uint8_t { real, rehearsal };

class SocketActs {
public:
    SocketActs(const ProcFs& procfs, FdStore& store) : procfs_{procfs}, store_{store} {}

    /// One answer for each, in their order. not_found: it is no more; changed: it is not what was judged.
    [[nodiscard]] std::vector<Result<>> nudge(std::span<const SocketTarget> targets,
                                              const NudgeTiming& timing, Earnest earnest);
    [[nodiscard]] std::vector<Result<>> destroy(std::span<const SocketTarget> targets, Earnest earnest);

    /// What the peers of nudged sockets have said so far. Whoever is alive gets his own options back, and
    /// with `release` all others, too. not_found: it is no more, or was not nudged.
    enum class Release : std::uint8_t { answered, all };
    [[nodiscard]] std::vector<Result<PeerAnswer>> answers(std::span<const SocketTarget> targets,
                                                          Release release);

    /// Sockets that were nudged by an earlier run of the daemon, and have not been released.
    [[nodiscard]] Result<std::vector<SocketTarget>> nudged();

    /// Why the kernel side cannot do it here; empty when it can.
    [[nodiscard]] std::string nudge_lack();
    [[nodiscard]] std::string destroy_lack();

private:
    struct Fate {
        std::uint32_t what{};
        int error{};
    };

    /// What became of orders: what the kernel side said, by cookie, and why some network namespaces could not
    /// be worked in, by inode.
    struct Report {
        std::unordered_map<std::uint64_t, Fate> fates;
        std::unordered_map<std::uint64_t, Error> closed;
    };
    using Targets = std::vector<const SocketTarget*>;

    [[nodiscard]] Result<> load();
    [[nodiscard]] std::string lack(std::string_view program);
    /// What carries orders out, one after the other.
    using Programs = std::initializer_list<std::string_view>;
    [[nodiscard]] Result<Report> order(Programs programs, std::span<const SocketTarget> targets,
                                       bool only_look);
    [[nodiscard]] Result<> order_here(Programs programs, std::span<const SocketTarget* const> targets,
                                      bool only_look, Report& report);
    [[nodiscard]] Result<> run_all(Programs programs);
    static void note_fate(std::uint64_t cookie, EventSource::Record value, Report& report);

    const ProcFs& procfs_;
    FdStore& store_;
    std::unique_ptr<BpfObject> object_;
    std::optional<Error> broken_; ///< why the object does not load; it is not tried twice
};

} // namespace egb::host
