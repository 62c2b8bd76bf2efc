// SPDX-License-Identifier: Apache-2.0
#include "harness/notify_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ranges>
#include <system_error>
#include <utility>

namespace egb::test {

NotifySocket::NotifySocket() : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
    const auto path = (folder_.path() / "notify").string();
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::system_error{errno, std::generic_category(), path};
    }
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
}

NotifySocket::~NotifySocket() {
    ::unsetenv("NOTIFY_SOCKET");
}

std::vector<Notification> NotifySocket::received() const {
    std::vector<Notification> all;
    while (auto next = receive()) {
        all.push_back(std::move(*next));
    }
    return all;
}

std::optional<Notification> NotifySocket::receive() const {
    constexpr std::size_t most_fds = 16;
    std::array<char, 4096> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(most_fds * sizeof(int))> control{};
    iovec vector{.iov_base = text.data(), .iov_len = text.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto length = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
    if (length < 0) {
        return std::nullopt;
    }
    Notification notification{.text = {text.data(), static_cast<std::size_t>(length)}, .fds = {}};
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
            std::vector<int> fds((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            std::memcpy(fds.data(), CMSG_DATA(part), fds.size() * sizeof(int));
            for (const int fd : fds) {
                notification.fds.emplace_back(fd);
            }
        }
    }
    return notification;
}

std::vector<std::string> texts(const std::vector<Notification>& notifications) {
    return notifications | std::views::transform(&Notification::text) | std::ranges::to<std::vector>();
}

} // namespace egb::test
