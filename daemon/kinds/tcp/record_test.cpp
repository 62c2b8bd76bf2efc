// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/record.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <gtest/gtest.h>

namespace egb::tcp {
namespace {

egb_tcp_socket between(int family, const char* local, const char* remote) {
    egb_tcp_socket record{};
    record.family = static_cast<__u8>(family);
    EXPECT_EQ(::inet_pton(family, local, record.local), 1);
    EXPECT_EQ(::inet_pton(family, remote, record.remote), 1);
    record.local_port = 8080;
    record.remote_port = 51234;
    return record;
}

TEST(TcpRecord, addresses_read_as_in_ss) {
    const auto four = between(AF_INET, "10.0.0.1", "192.0.2.7");
    EXPECT_EQ(local_text(four), "10.0.0.1:8080");
    EXPECT_EQ(remote_text(four), "192.0.2.7:51234");
    const auto six = between(AF_INET6, "2001:db8::1", "fe80::2");
    EXPECT_EQ(local_text(six), "[2001:db8::1]:8080");
    EXPECT_EQ(remote_text(six), "[fe80::2]:51234");
    const auto mapped = between(AF_INET6, "::ffff:10.0.0.1", "::ffff:10.0.0.2");
    EXPECT_EQ(local_text(mapped), "[::ffff:10.0.0.1]:8080");
}

TEST(TcpRecord, a_key_names_cookie_and_network_namespace) {
    egb_tcp_socket record{};
    record.cookie = 4711;
    record.netns = 4026531840;
    EXPECT_EQ(key_of(record), "4711@4026531840");
    EXPECT_EQ(cookie_of("4711@4026531840"), 4711U);
    for (const auto* nonsense : {"", "@", "4711", "x@1", "-1@1", "99999999999999999999999@1"}) {
        EXPECT_EQ(cookie_of(nonsense), std::nullopt) << nonsense;
    }
}

TEST(TcpRecord, only_records_that_are_as_long_as_they_say_are_read) {
    egb_tcp_holder record{};
    record.header.size = sizeof(record);
    const auto bytes = std::as_bytes(std::span{&record, 1});
    EXPECT_TRUE(read_record<egb_tcp_holder>(bytes));
    EXPECT_FALSE(read_record<egb_tcp_holder>(bytes.first(bytes.size() - 1)));
    EXPECT_FALSE(read_record<egb_tcp_socket>(bytes));
    record.header.size = 1;
    EXPECT_FALSE(read_record<egb_tcp_holder>(bytes));
    EXPECT_EQ(record_type(bytes.first(3)), 0);
}

TEST(TcpRecord, states_are_spelt_as_ss_and_netstat_do) {
    EXPECT_EQ(state_name(TCP_CLOSE_WAIT), "CLOSE_WAIT");
    EXPECT_EQ(state_name(TCP_FIN_WAIT2), "FIN_WAIT2");
    EXPECT_EQ(state_name(TCP_LAST_ACK), "LAST_ACK");
}

} // namespace
} // namespace egb::tcp
