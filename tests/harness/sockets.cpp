// SPDX-License-Identifier: Apache-2.0
#include "harness/sockets.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <system_error>
#include <thread>

namespace egb::test {

namespace {

int checked(int result, const char* what) {
    if (result < 0) {
        throw std::system_error{errno, std::generic_category(), what};
    }
    return result;
}

struct Address {
    sockaddr_storage storage{};
    socklen_t length{};

    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address loopback(Family family) {
    Address address;
    if (family == Family::ipv4) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        std::memcpy(&address.storage, &in, sizeof(in));
        address.length = sizeof(in);
    } else {
        sockaddr_in6 in6{};
        in6.sin6_family = AF_INET6;
        const char* text = family == Family::ipv6 ? "::1" : "::ffff:127.0.0.1";
        ::inet_pton(AF_INET6, text, &in6.sin6_addr);
        std::memcpy(&address.storage, &in6, sizeof(in6));
        address.length = sizeof(in6);
    }
    return address;
}

host::Fd stream_socket(Family family) {
    const int domain = family == Family::ipv4 ? AF_INET : AF_INET6;
    return host::Fd{checked(::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
}

void bring_loopback_up() {
    const host::Fd socket{checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")};
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    checked(::ioctl(socket.get(), SIOCSIFFLAGS, &request), "bringing lo up");
}

Connection connect_from(host::Fd peer, Family family, Address listen_at) {
    const host::Fd listener = stream_socket(family);
    checked(::bind(listener.get(), listen_at.get(), listen_at.length), "bind");
    checked(::listen(listener.get(), 1), "listen");
    checked(::getsockname(listener.get(), listen_at.get(), &listen_at.length), "getsockname");
    checked(::connect(peer.get(), listen_at.get(), listen_at.length), "connect");
    host::Fd ours{checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept")};
    return {std::move(ours), std::move(peer)};
}

} // namespace

void Connection::half_close_peer() const {
    checked(::shutdown(peer.get(), SHUT_WR), "shutdown");
}

Connection connect_loopback(Family family) {
    return connect_from(stream_socket(family), family, loopback(family));
}

Connection connect_twin_of(const Connection& other) {
    Address ours;
    ours.length = sizeof(ours.storage);
    checked(::getsockname(other.ours.get(), ours.get(), &ours.length), "getsockname");
    Address theirs;
    theirs.length = sizeof(theirs.storage);
    checked(::getpeername(other.ours.get(), theirs.get(), &theirs.length), "getpeername");
    host::Fd peer = stream_socket(Family::ipv4);
    checked(::bind(peer.get(), theirs.get(), theirs.length), "bind");
    return connect_from(std::move(peer), Family::ipv4, ours);
}

ReusedClient::ReusedClient() : listener_{stream_socket(Family::ipv4)}, client_{stream_socket(Family::ipv4)} {
    Address address = loopback(Family::ipv4);
    checked(::bind(listener_.get(), address.get(), address.length), "bind");
    checked(::listen(listener_.get(), 2), "listen");
    checked(::getsockname(listener_.get(), address.get(), &address.length), "getsockname");
    std::memcpy(&server_, &address.storage, sizeof(server_));
    connect();
}

void ReusedClient::connect_again() {
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    checked(::connect(client_.get(), &nobody, sizeof(nobody)), "leaving the server");
    connect();
}

void ReusedClient::connect() {
    checked(::connect(client_.get(), reinterpret_cast<sockaddr*>(&server_), sizeof(server_)), "connect");
    const host::Fd closed_at_once{
        checked(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept")};
}

std::uint64_t cookie_of(const host::Fd& socket) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof(cookie);
    checked(::getsockopt(socket.get(), SOL_SOCKET, SO_COOKIE, &cookie, &length), "SO_COOKIE");
    return cookie;
}

void in_new_net_namespace(const std::function<void()>& work) {
    std::exception_ptr failure;
    std::thread{[&] {
        try {
            checked(::unshare(CLONE_NEWNET), "unshare");
            bring_loopback_up();
            work();
        } catch (...) {
            failure = std::current_exception();
        }
    }}.join();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

} // namespace egb::test
