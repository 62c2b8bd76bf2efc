// SPDX-License-Identifier: Apache-2.0
#include "host/held_sockets.hpp"

#include "host/pidfd.hpp"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace egb::host {

namespace {

/// In the order in which they are set: an application's own TCP_USER_TIMEOUT would end the connection at the
/// first probe, and probing begins with the last.
struct Option {
    int level;
    int name;
};
constexpr std::array<Option, 5> options{{{.level = IPPROTO_TCP, .name = TCP_USER_TIMEOUT},
                                         {.level = IPPROTO_TCP, .name = TCP_KEEPCNT},
                                         {.level = IPPROTO_TCP, .name = TCP_KEEPINTVL},
                                         {.level = IPPROTO_TCP, .name = TCP_KEEPIDLE},
                                         {.level = SOL_SOCKET, .name = SO_KEEPALIVE}}};
constexpr int first_probe_s = 1;

/// What the kernel tells of the past is rounded to its ticks; the answer to a probe comes a second later.
constexpr Span surely_later = std::chrono::milliseconds{500};

template <typename Value>
Result<Value> read_option(const Fd& socket, int level, int name) {
    Value value{};
    socklen_t size = sizeof(value);
    if (::getsockopt(socket.get(), level, name, &value, &size) != 0) {
        return fail_errno("reading a socket's option");
    }
    return value;
}

bool set_option(const Fd& socket, const Option& option, int value) {
    return ::setsockopt(socket.get(), option.level, option.name, &value, sizeof(value)) == 0;
}

Instant heard_at(const tcp_info& info) {
    return Instant{std::chrono::steady_clock::now().time_since_epoch()} -
           std::chrono::milliseconds{info.tcpi_last_ack_recv};
}

bool has_nothing_under_way(const Fd& socket) {
    int unread = 0;
    int unsent = 0;
    return ::ioctl(socket.get(), SIOCINQ, &unread) == 0 && ::ioctl(socket.get(), SIOCOUTQ, &unsent) == 0 &&
           unread == 0 && unsent == 0;
}

} // namespace

std::string HeldSockets::lack() const {
    if (!procfs_.has_our_pids()) {
        return "processes of the machine are outside of our pid namespace, so their descriptors cannot be "
               "borrowed";
    }
    const auto ourselves = procfs_.identity(::getpid()).and_then([this](const ProcessIdentity& identity) {
        return pidfd_of(procfs_, identity);
    });
    if (!ourselves) {
        return ourselves.error().message;
    }
    return copy_of_descriptor(*ourselves, ourselves->get())
               ? ""
               : fail_errno("pidfd_getfd (Linux 5.6 has it)").error().message;
}

Result<Fd> HeldSockets::borrow(const SocketTarget& target) const {
    static const std::vector<Holder> nobody;
    for (const Holder& holder : target.holders ? *target.holders : nobody) {
        const auto pidfd = pidfd_of(procfs_, holder.process->id);
        if (!pidfd) {
            continue;
        }
        Fd copy = copy_of_descriptor(*pidfd, holder.fd);
        if (!copy && errno == EPERM) {
            return fail(ErrorCode::denied,
                        "its holder's descriptor cannot be borrowed: CAP_SYS_PTRACE is needed");
        }
        if (copy && read_option<std::uint64_t>(copy, SOL_SOCKET, SO_COOKIE) == target.cookie) {
            return copy;
        }
    }
    return fail(ErrorCode::not_found, "no process holds the socket any more");
}

Result<Fd> HeldSockets::net_namespace(const SocketTarget& target) const {
    if (auto cannot = lack(); !cannot.empty()) {
        return fail(ErrorCode::unsupported, "{}", cannot);
    }
    return borrow(target).and_then([](const Fd& socket) -> Result<Fd> {
        Fd space{::ioctl(socket.get(), SIOCGSKNS)};
        return space ? Result<Fd>{std::move(space)} : fail_errno("finding a socket's network namespace");
    });
}

Result<> HeldSockets::nudge(const SocketTarget& target, const NudgeTiming& timing, Earnest earnest) {
    const auto socket = borrow(target);
    if (!socket) {
        return std::unexpected(socket.error());
    }
    if (nudges_.contains(target.cookie)) {
        return {};
    }
    const auto info = read_option<tcp_info>(*socket, IPPROTO_TCP, TCP_INFO);
    if (!info) {
        return std::unexpected(info.error());
    }
    if (!is_as_judged(target, *info) || !has_nothing_under_way(*socket)) {
        return no_longer_as_judged();
    }
    Nudge nudge{.target = target,
                .before = {},
                .ours = {0, static_cast<int>(timing.probe_count()), static_cast<int>(timing.interval_s()),
                         first_probe_s, 1},
                .heard = heard_at(*info)};
    for (std::size_t at = 0; at < options.size(); ++at) {
        const auto value = read_option<int>(*socket, options.at(at).level, options.at(at).name);
        if (!value) {
            return std::unexpected(value.error());
        }
        nudge.before.at(at) = *value;
    }
    if (nudge.before.back() != 0) {
        return asks_by_itself();
    }
    if (earnest == Earnest::rehearsal) {
        return only_rehearsed();
    }
    for (std::size_t at = 0; at < options.size(); ++at) {
        if (!set_option(*socket, options.at(at), nudge.ours.at(at))) {
            auto failure = fail_errno("setting a socket's option");
            put_back(*socket, nudge);
            return failure;
        }
    }
    nudges_.emplace(target.cookie, std::move(nudge));
    return {};
}

Result<PeerAnswer> HeldSockets::answer(const SocketTarget& target, Release release) {
    const auto nudge = nudges_.find(target.cookie);
    if (nudge == nudges_.end()) {
        return fail(ErrorCode::not_found, "the socket is not being asked");
    }
    const auto socket = borrow(nudge->second.target);
    const auto info =
        socket ? read_option<tcp_info>(*socket, IPPROTO_TCP, TCP_INFO) : std::unexpected(socket.error());
    if (!info) {
        nudges_.erase(nudge);
        return std::unexpected(info.error());
    }
    const bool alive = heard_at(*info) > nudge->second.heard + surely_later;
    if (alive || release == Release::all) {
        put_back(*socket, nudge->second);
        nudges_.erase(nudge);
    }
    return alive ? PeerAnswer::alive : PeerAnswer::none_yet;
}

std::vector<SocketTarget> HeldSockets::nudged() const {
    std::vector<SocketTarget> targets;
    targets.reserve(nudges_.size());
    for (const auto& [cookie, nudge] : nudges_) {
        targets.push_back(nudge.target);
    }
    return targets;
}

/// The last first, so that probing ends at once. An option that is no longer as we left it has been set by
/// its application since: that stays.
void HeldSockets::put_back(const Fd& socket, const Nudge& nudge) {
    for (std::size_t at = options.size(); at-- > 0;) {
        const auto now = read_option<int>(socket, options.at(at).level, options.at(at).name);
        if (now == nudge.ours.at(at) && nudge.before.at(at) != nudge.ours.at(at)) {
            static_cast<void>(set_option(socket, options.at(at), nudge.before.at(at)));
        }
    }
}

} // namespace egb::host
