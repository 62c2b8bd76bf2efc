// SPDX-License-Identifier: Apache-2.0
#include "host/sock_diag.hpp"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace egb::host {

namespace {

struct Request {
    nlmsghdr header{};
    inet_diag_req_v2 question{};
};

inet_diag_sockid name_of(const SocketTarget& target) {
    inet_diag_sockid name{};
    name.idiag_sport = htons(target.local_port);
    name.idiag_dport = htons(target.remote_port);
    std::memcpy(name.idiag_src, target.local.data(), target.local.size());
    std::memcpy(name.idiag_dst, target.remote.data(), target.remote.size());
    name.idiag_cookie[0] = static_cast<std::uint32_t>(target.cookie);
    name.idiag_cookie[1] = static_cast<std::uint32_t>(target.cookie >> 32);
    return name;
}

/// The TCP_INFO among a reply's attributes; a kernel's own may be shorter or longer than ours.
std::optional<tcp_info> info_of(std::span<const std::byte> payload) {
    auto attributes = payload.subspan(std::min(payload.size(), NLMSG_ALIGN(sizeof(inet_diag_msg))));
    rtattr header{};
    while (attributes.size() >= sizeof(header)) {
        std::memcpy(&header, attributes.data(), sizeof(header));
        if (header.rta_len < sizeof(header) || header.rta_len > attributes.size()) {
            break;
        }
        if (header.rta_type == INET_DIAG_INFO) {
            tcp_info info{};
            const auto value = attributes.subspan(sizeof(header), header.rta_len - sizeof(header));
            std::memcpy(&info, value.data(), std::min(value.size(), sizeof(info)));
            return info;
        }
        attributes = attributes.subspan(std::min<std::size_t>(RTA_ALIGN(header.rta_len), attributes.size()));
    }
    return std::nullopt;
}

/// The kernel counts the peer's FIN as a byte that is not read.
bool has_queues_as_judged(const SocketTarget& target, const inet_diag_msg& socket) {
    const auto unread = socket.idiag_rqueue - (socket.idiag_rqueue > 0 ? 1 : 0);
    return unread == target.receive_queue && socket.idiag_wqueue == target.send_queue;
}

} // namespace

std::string SockDiag::lack() {
    if (const auto diag = open(); !diag) {
        return diag.error().message;
    }
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    const bool may = ::syscall(SYS_capget, &header, sets.data()) == 0 &&
                     (sets[0].effective & CAP_TO_MASK(CAP_NET_ADMIN)) != 0;
    return may ? ""
               : "netlink's SOCK_DESTROY needs CAP_NET_ADMIN, which the unit does not give (systemctl edit)";
}

Result<SockDiag> SockDiag::open() {
    Fd socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
    if (!socket) {
        return fail_errno("opening NETLINK_SOCK_DIAG");
    }
    return SockDiag{std::move(socket)};
}

/// The kernel answers before send() returns, so nothing is waited for.
Result<> SockDiag::request(const SocketTarget& target, int type, int flags, const OnReply& on_reply) const {
    Request request{};
    request.header = {.nlmsg_len = sizeof(request),
                      .nlmsg_type = static_cast<std::uint16_t>(type),
                      .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags),
                      .nlmsg_seq = 0,
                      .nlmsg_pid = 0};
    request.question.sdiag_family = target.family;
    request.question.sdiag_protocol = IPPROTO_TCP;
    request.question.idiag_ext = 1 << (INET_DIAG_INFO - 1);
    request.question.idiag_states = ~0U;
    request.question.id = name_of(target);
    alignas(nlmsghdr) std::array<std::byte, 8192> buffer{};
    if (::send(socket_.get(), &request, sizeof(request), 0) < 0) {
        return fail_errno("asking NETLINK_SOCK_DIAG");
    }
    const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    nlmsghdr reply{};
    if (count < static_cast<ssize_t>(sizeof(reply))) {
        return fail_errno("reading the answer of NETLINK_SOCK_DIAG");
    }
    std::memcpy(&reply, buffer.data(), sizeof(reply));
    const auto payload = std::span{buffer}.first(static_cast<std::size_t>(count)).subspan(NLMSG_HDRLEN);
    if (reply.nlmsg_type == NLMSG_ERROR) {
        int error = 0;
        std::memcpy(&error, payload.data(), sizeof(error));
        return error == 0 ? Result<>{} : fail_errno("the kernel", -error);
    }
    on_reply(payload);
    return {};
}

Result<bool> SockDiag::look(const SocketTarget& target) const {
    bool as_judged = false;
    const auto looked = request(target, SOCK_DIAG_BY_FAMILY, 0, [&](std::span<const std::byte> payload) {
        inet_diag_msg socket{};
        std::memcpy(&socket, payload.data(), std::min(payload.size(), sizeof(socket)));
        const auto info = info_of(payload);
        as_judged = info && is_as_judged(target, *info) && has_queues_as_judged(target, socket);
    });
    if (!looked) {
        return std::unexpected(looked.error());
    }
    return as_judged;
}

Result<> SockDiag::destroy(const SocketTarget& target, Earnest earnest) const {
    const auto as_judged = look(target);
    if (!as_judged) {
        return std::unexpected(as_judged.error());
    }
    if (!*as_judged) {
        return no_longer_as_judged();
    }
    if (earnest == Earnest::rehearsal) {
        return only_rehearsed();
    }
    if (auto ended = request(target, SOCK_DESTROY, NLM_F_ACK, [](auto&&...) {}); !ended) {
        return ended;
    }
    const auto again = look(target);
    if (again) {
        return still_there();
    }
    return again.error().code == ErrorCode::not_found ? Result<>{} : std::unexpected(again.error());
}

} // namespace egb::host
