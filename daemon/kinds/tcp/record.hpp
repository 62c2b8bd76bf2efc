// SPDX-License-Identifier: Apache-2.0
// The kernel side's records, read safely and put into words.
#pragma once

#include "core/field.hpp"
#include "core/record_front.hpp"

#include "bpf/tcp.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace egb::tcp {

/// The record, when it is as long as it should be and says so itself.
template <typename T>
[[nodiscard]] std::optional<T> read_record(std::span<const std::byte> bytes) {
    auto record = front_of<T>(bytes);
    const bool is_whole = record && bytes.size() == sizeof(T) && record->header.size == sizeof(T);
    return is_whole ? record : std::nullopt;
}

/// 0 for what is too short to have one.
[[nodiscard]] std::uint16_t record_type(std::span<const std::byte> bytes);

/// Unique on this machine until it reboots: cookies are, within a network namespace, on every kernel.
[[nodiscard]] std::string key_of(const egb_tcp_socket& record);

/// The cookie out of such a key.
[[nodiscard]] std::optional<std::uint64_t> cookie_of(std::string_view key);

/// Whether an IPv6 address is an IPv4 address in its v4-mapped form.
[[nodiscard]] bool is_mapped(std::span<const __u8, 16> address);

/// 127.0.0.0/8 or ::1, v4-mapped or not.
[[nodiscard]] bool is_loopback(std::uint8_t family, std::span<const __u8, 16> address);

/// One end of a connection, told from all others of the machine. IPv4 is the same in either of its forms.
struct ConnectionEnd {
    using Address = std::array<__u8, 16>;

    Address here{};
    Address there{};
    std::uint32_t netns{};
    std::uint16_t port{};
    std::uint16_t other_port{};

    auto operator<=>(const ConnectionEnd&) const = default;
};

/// An IPv4 address in its v4-mapped form, any other as it is.
[[nodiscard]] ConnectionEnd::Address as_ipv6(std::uint8_t family, std::span<const __u8, 16> address);

[[nodiscard]] ConnectionEnd end_of(const auto& record, std::span<const __u8, 16> here, std::uint16_t port,
                                   std::span<const __u8, 16> there, std::uint16_t other_port) {
    return {.here = as_ipv6(record.family, here),
            .there = as_ipv6(record.family, there),
            .netns = record.netns,
            .port = port,
            .other_port = other_port};
}

/// "CLOSE_WAIT", as ss and netstat spell it.
[[nodiscard]] std::string_view state_name(std::uint8_t state);

/// "10.0.0.1:80", "[2001:db8::1]:80", "[::ffff:10.0.0.1]:80".
[[nodiscard]] std::string local_text(const egb_tcp_socket& record);
[[nodiscard]] std::string remote_text(const egb_tcp_socket& record);

/// "CLOSE_WAIT 10.0.0.1:80 -> 192.0.2.7:51234".
[[nodiscard]] std::string summary_of(const egb_tcp_socket& record);

/// Everything in the record that may interest a reader.
[[nodiscard]] Fields fields_of(const egb_tcp_socket& record);

} // namespace egb::tcp
