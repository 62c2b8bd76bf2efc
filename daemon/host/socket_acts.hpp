// SPDX-License-Identifier: Apache-2.0
// What can be done to TCP sockets: in one pass of the kernel side for many (bpf/socket_acts.bpf.c). Where the
// kernel refuses that, one by one: asked through their holders' descriptors, ended by netlink.
#pragma once

#include "core/result.hpp"
#include "host/bpf_object.hpp"
#include "host/fd_store.hpp"
#include "host/held_sockets.hpp"
#include "host/procfs.hpp"
#include "host/socket_target.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace egb::host {

class SocketActs {
public:
    /// `programs`: without them it is as on a kernel that refuses them.
    SocketActs(const ProcFs& procfs, FdStore& store, bool programs = true)
        : procfs_{procfs}, store_{store}, held_{procfs} {
        if (!programs) {
            broken_ = Error{ErrorCode::unsupported, "the kernel side is not used"};
        }
    }

    /// One answer for each, in their order. not_found: it is no more; changed: it is not what was judged.
    [[nodiscard]] std::vector<Result<>> nudge(std::span<const SocketTarget> targets,
                                              const NudgeTiming& timing, Earnest earnest);
    [[nodiscard]] std::vector<Result<>> destroy(std::span<const SocketTarget> targets, Earnest earnest);

    /// What the peers of nudged sockets have said so far. Whoever is alive gets his own options back, and
    /// with `release` all others, too. not_found: it is no more, or was not nudged.
    [[nodiscard]] std::vector<Result<PeerAnswer>> answers(std::span<const SocketTarget> targets,
                                                          Release release);

    /// Sockets that were nudged by an earlier run of the daemon, and have not been released.
    [[nodiscard]] Result<std::vector<SocketTarget>> nudged();

    [[nodiscard]] Ability nudging();
    [[nodiscard]] Ability destroying();

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
    /// What carries orders out: one step after the other, the programs of a step at once.
    using Step = std::vector<std::string_view>;
    using Steps = std::vector<Step>;

    [[nodiscard]] Result<> load();
    [[nodiscard]] std::string lack(std::string_view program);
    [[nodiscard]] std::string destroy_program_lack();
    [[nodiscard]] std::vector<Result<>> destroy_by_netlink(std::span<const SocketTarget> targets,
                                                           Earnest earnest);
    [[nodiscard]] Result<Report> order(const Steps& steps, std::span<const SocketTarget> targets,
                                       bool only_look);
    [[nodiscard]] Result<> order_here(const Steps& steps, std::span<const SocketTarget* const> targets,
                                      bool only_look, Report& report);
    [[nodiscard]] Result<> in_namespace_of(const SocketTarget& target,
                                           const std::vector<NetNamespace>& spaces,
                                           const std::function<Result<>()>& work) const;
    [[nodiscard]] Result<> carry_out(const Steps& steps, std::uint32_t orders);

    const ProcFs& procfs_;
    FdStore& store_;
    HeldSockets held_;
    std::unique_ptr<BpfObject> object_;
    bool has_destroy_{};          ///< the kernel, once the object is loaded
    std::optional<Error> broken_; ///< why the object does not load; it is not tried twice
};

} // namespace egb::host
