// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/record.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace egb::tcp {

namespace {

using Address = ConnectionEnd::Address;

constexpr std::array<__u8, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// For each of very many: put together by hand and in one place, in a fraction of the time that std::format
/// and inet_ntop take. There is room for the longest line of this file.
class Line {
public:
    Line& operator<<(std::string_view text) {
        size_ += text.copy(end(), text.size());
        return *this;
    }
    Line& operator<<(std::uint64_t number) {
        size_ +=
            static_cast<std::size_t>(std::to_chars(end(), text_.data() + text_.size(), number).ptr - end());
        return *this;
    }

    [[nodiscard]] std::string text() const { return {text_.data(), size_}; }

private:
    [[nodiscard]] char* end() { return text_.data() + size_; }

    std::array<char, 2 * INET6_ADDRSTRLEN + 64> text_{};
    std::size_t size_{};
};

void append_ipv4(Line& line, std::span<const __u8, 16> address) {
    line << std::uint64_t{address[0]};
    for (const __u8 part : address.subspan(1, 3)) {
        line << "." << std::uint64_t{part};
    }
}

void append_ipv6(Line& line, std::span<const __u8, 16> address) {
    std::array<char, INET6_ADDRSTRLEN> written{};
    ::inet_ntop(AF_INET6, address.data(), written.data(), written.size());
    line << "[" << std::string_view{written.data()} << "]";
}

void append_endpoint(Line& line, std::uint8_t family, std::span<const __u8, 16> address, std::uint16_t port) {
    if (family == AF_INET6) {
        append_ipv6(line, address);
    } else {
        append_ipv4(line, address);
    }
    line << ":" << std::uint64_t{port};
}

} // namespace

std::uint16_t record_type(std::span<const std::byte> bytes) {
    const auto header = front_of<egb_header>(bytes);
    return header ? header->type : std::uint16_t{};
}

std::string key_of(const egb_tcp_socket& record) {
    Line line;
    line << std::uint64_t{record.cookie} << "@" << std::uint64_t{record.netns};
    return line.text();
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
    Line line;
    append_endpoint(line, record.family, record.local, record.local_port);
    return line.text();
}

std::string remote_text(const egb_tcp_socket& record) {
    Line line;
    append_endpoint(line, record.family, record.remote, record.remote_port);
    return line.text();
}

std::string summary_of(const egb_tcp_socket& record) {
    Line line;
    line << state_name(record.state) << " ";
    append_endpoint(line, record.family, record.local, record.local_port);
    line << " -> ";
    append_endpoint(line, record.family, record.remote, record.remote_port);
    return line.text();
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
