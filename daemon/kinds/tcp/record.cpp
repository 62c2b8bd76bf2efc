// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/record.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace egb::tcp {

namespace {

using Address = ConnectionEnd::Address;

constexpr std::array<__u8, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// For each of very many: put together by hand, in a fraction of the time that std::format or inet_ntop take.
void append_number(std::string& text, std::uint64_t number) {
    std::array<char, std::numeric_limits<std::uint64_t>::digits10 + 1> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    text.append(digits.data(), end);
}

void append_ipv4(std::string& text, std::span<const __u8, 16> address) {
    append_number(text, address[0]);
    for (const __u8 part : address.subspan(1, 3)) {
        text += '.';
        append_number(text, part);
    }
}

void append_ipv6(std::string& text, std::span<const __u8, 16> address) {
    std::array<char, INET6_ADDRSTRLEN> written{};
    ::inet_ntop(AF_INET6, address.data(), written.data(), written.size());
    text += '[';
    text += written.data();
    text += ']';
}

void append_endpoint(std::string& text, std::uint8_t family, std::span<const __u8, 16> address,
                     std::uint16_t port) {
    if (family == AF_INET6) {
        append_ipv6(text, address);
    } else {
        append_ipv4(text, address);
    }
    text += ':';
    append_number(text, port);
}

} // namespace

std::uint16_t record_type(std::span<const std::byte> bytes) {
    const auto header = front_of<egb_header>(bytes);
    return header ? header->type : std::uint16_t{};
}

std::string key_of(const egb_tcp_socket& record) {
    std::string key;
    append_number(key, record.cookie);
    key += '@';
    append_number(key, record.netns);
    key.shrink_to_fit(); // it has grown to twice what it takes
    return key;
}

std::optional<std::uint64_t> cookie_of(std::string_view key) {
    std::uint64_t cookie = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), cookie);
    if (error != std::errc{} || end == key.data() + key.size() || *end != '@') {
        return std::nullopt;
    }
    return cookie;
}

bool is_mapped(std::span<const __u8, 16> address) {
    return std::ranges::equal(address.first(mapped_prefix.size()), mapped_prefix);
}

bool is_loopback(std::uint8_t family, std::span<const __u8, 16> address) {
    const Address whole = as_ipv6(family, address);
    if (is_mapped(whole)) {
        return whole[mapped_prefix.size()] == 127;
    }
    return whole == Address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

ConnectionEnd::Address as_ipv6(std::uint8_t family, std::span<const __u8, 16> address) {
    Address whole{};
    if (family == AF_INET6) {
        std::ranges::copy(address, whole.begin());
    } else {
        std::ranges::copy(mapped_prefix, whole.begin());
        std::ranges::copy(address.first(4), whole.begin() + mapped_prefix.size());
    }
    return whole;
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
    std::string text;
    append_endpoint(text, record.family, record.local, record.local_port);
    return text;
}

std::string remote_text(const egb_tcp_socket& record) {
    std::string text;
    append_endpoint(text, record.family, record.remote, record.remote_port);
    return text;
}

std::string summary_of(const egb_tcp_socket& record) {
    constexpr std::size_t usual_length = 64;
    std::string text;
    text.reserve(usual_length);
    text += state_name(record.state);
    text += ' ';
    append_endpoint(text, record.family, record.local, record.local_port);
    text += " -> ";
    append_endpoint(text, record.family, record.remote, record.remote_port);
    text.shrink_to_fit();
    return text;
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
