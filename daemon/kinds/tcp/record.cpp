// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/record.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <format>

namespace egb::tcp {

namespace {

using Address = std::array<__u8, 16>;

constexpr std::array<__u8, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// An IPv4 address in its v4-mapped form, any other as it is.
Address as_ipv6(std::uint8_t family, std::span<const __u8, 16> address) {
    Address whole{};
    if (family == AF_INET6) {
        std::ranges::copy(address, whole.begin());
    } else {
        std::ranges::copy(mapped_prefix, whole.begin());
        std::ranges::copy(address.first(4), whole.begin() + mapped_prefix.size());
    }
    return whole;
}

bool is_mapped(const Address& whole) {
    return std::ranges::equal(std::span{whole}.first(mapped_prefix.size()), mapped_prefix);
}

std::string endpoint(std::uint8_t family, const __u8* address, std::uint16_t port) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::inet_ntop(family, address, text.data(), text.size()) == nullptr) {
        return std::format("?:{}", port);
    }
    return family == AF_INET6 ? std::format("[{}]:{}", text.data(), port)
                              : std::format("{}:{}", text.data(), port);
}

} // namespace

std::uint16_t record_type(std::span<const std::byte> bytes) {
    egb_header header{};
    if (bytes.size() < sizeof(header)) {
        return 0;
    }
    std::memcpy(&header, bytes.data(), sizeof(header));
    return header.type;
}

std::string key_of(const egb_tcp_socket& record) {
    return std::format("{}@{}", record.cookie, record.netns);
}

std::optional<std::uint64_t> cookie_of(std::string_view key) {
    std::uint64_t cookie = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), cookie);
    if (error != std::errc{} || end == key.data() + key.size() || *end != '@') {
        return std::nullopt;
    }
    return cookie;
}

bool is_loopback(std::uint8_t family, std::span<const __u8, 16> address) {
    const Address whole = as_ipv6(family, address);
    if (is_mapped(whole)) {
        return whole[mapped_prefix.size()] == 127;
    }
    return whole == Address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

std::string address_text(std::uint8_t family, std::span<const __u8, 16> address) {
    const Address whole = as_ipv6(family, address);
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(AF_INET6, whole.data(), text.data(), text.size()) == nullptr ? "" : text.data();
}

std::string_view state_name(std::uint8_t state) {
    switch (state) {
    case TCP_CLOSE_WAIT:
        return "CLOSE_WAIT";
    case TCP_FIN_WAIT2:
        return "FIN_WAIT2";
    case TCP_LAST_ACK:
        return "LAST_ACK";
    default:
        return "UNKNOWN";
    }
}

std::string local_text(const egb_tcp_socket& record) {
    return endpoint(record.family, record.local, record.local_port);
}

std::string remote_text(const egb_tcp_socket& record) {
    return endpoint(record.family, record.remote, record.remote_port);
}

Fields fields_of(const egb_tcp_socket& record) {
    return {
        {"state", std::string{state_name(record.state)}},
        {"local", local_text(record)},
        {"remote", remote_text(record)},
        {"cookie", std::uint64_t{record.cookie}},
        {"netns", std::uint64_t{record.netns}},
        {"inode", std::uint64_t{record.inode}},
        {"uid", std::uint64_t{record.uid}},
        {"receive_queue", std::uint64_t{record.receive_queue}},
        {"send_queue", std::uint64_t{record.send_queue}},
        {"bytes_received", std::uint64_t{record.bytes_received}},
        {"bytes_sent", std::uint64_t{record.bytes_sent}},
        {"bytes_acked", std::uint64_t{record.bytes_acked}},
        {"orphan", (record.flags & EGB_TCP_ORPHAN) != 0},
    };
}

} // namespace egb::tcp
