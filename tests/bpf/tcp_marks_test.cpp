// SPDX-License-Identifier: Apache-2.0
// The kernel side of `tcp` on the real kernel, without the kind above it: what it tells of, what it keeps of
// a socket, and its program that is away most of the time.
#include "harness/fake_fd_store.hpp"
#include "harness/sockets.hpp"

#include "host/monotonic_clock.hpp"
#include "kinds/tcp/record.hpp"
#include "kinds/tcp/tcp.hpp"

#include <poll.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace egb::tcp {
namespace {

using namespace std::chrono_literals;
using test::connect_loopback;
using test::Connection;
using test::Family;
using testing::Contains;
using testing::IsEmpty;

constexpr std::string_view state_program = "egb_tcp_state";
/// So long that nobody's socket is overdue, whatever waits on this machine.
constexpr std::uint64_t ages_ns = 1'000'000'000'000'000;

class TcpMarks : public testing::Test {
protected:
    TcpMarks() { start(); }

    void start() {
        store_.restart();
        events_ = kernel_events(store_);
        EXPECT_TRUE(events_->attach());
        look_for({.close_wait_after_ns = ages_ns,
                  .fin_wait2_after_ns = 0,
                  .last_ack_after_ns = 0,
                  .counts_plain_endings = 0});
    }

    void look_for(const egb_tcp_control& control) {
        EXPECT_TRUE(events_->control("egb_tcp_control", std::as_bytes(std::span{&control, 1})));
    }

    /// As the kind begins a sweep; and what was told before is read.
    void begin_sweep() {
        EXPECT_TRUE(events_->resume(state_program));
        EXPECT_EQ(events_->call("egb_tcp_begin_sweep", {}), 0U);
        std::ignore = told();
    }

    /// The socket as a sweep meets it.
    std::optional<egb_tcp_socket> meet(const host::Fd& socket) {
        begin_sweep();
        std::optional<egb_tcp_socket> met;
        const auto cookie = test::cookie_of(socket);
        EXPECT_TRUE(
            events_->iterate("egb_tcp_sweep", sizeof(egb_tcp_socket), [&](host::EventSource::Record bytes) {
                if (const auto record = read_record<egb_tcp_socket>(bytes); record.value().cookie == cookie) {
                    met = record;
                }
            }));
        return met;
    }

    /// Types of the events that wait.
    std::vector<std::uint16_t> told() {
        std::vector<std::uint16_t> types;
        EXPECT_TRUE(events_->drain(1'000, [&](host::EventSource::Record bytes) {
            types.push_back(record_type(bytes));
        }));
        return types;
    }

    void wait_in_vain() {
        waiting_.push_back(connect_loopback(Family::ipv4));
        waiting_.back().close_peer();
    }

    egb_tcp_first first() {
        egb_tcp_first first{};
        EXPECT_TRUE(events_->read("egb_tcp_first", std::as_writable_bytes(std::span{&first, 1})));
        return first;
    }

    host::MonotonicClock clock_;
    test::FakeFdStore store_;
    std::unique_ptr<host::EventSource> events_;
    std::vector<Connection> waiting_;
};

TEST_F(TcpMarks, nothing_is_told_while_the_program_is_away) {
    begin_sweep();
    events_->suspend(state_program);
    std::ignore = told(); // of somebody else's socket, just before
    EXPECT_EQ(events_->call("egb_tcp_begin_sweep", {}), 0U);
    wait_in_vain();
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(first().since_last_sweep_ns, 0U);
    EXPECT_TRUE(events_->resume(state_program));
    EXPECT_TRUE(events_->resume(state_program)) << "it is there already";
    wait_in_vain();
    EXPECT_THAT(told(), Contains(EGB_TCP_WAITING));
}

TEST_F(TcpMarks, nobody_else_keeps_the_program_attached) {
    EXPECT_THAT(store_.names(), testing::Not(IsEmpty()));
    for (const std::string& name : store_.names()) {
        EXPECT_FALSE(name.contains(".link.")) << name;
    }
}

/// As a server does that closes first.
void end_plainly(int connections) {
    for (int ended = 0; ended < connections; ++ended) {
        Connection connection = connect_loopback(Family::ipv4);
        connection.close_peer();
    }
}

TEST_F(TcpMarks, so_many_plain_endings_are_worth_a_sweep) {
    constexpr int many = 4096;
    look_for({.close_wait_after_ns = 0,
              .fin_wait2_after_ns = 0,
              .last_ack_after_ns = 0,
              .counts_plain_endings = 1});
    begin_sweep();
    end_plainly(100);
    EXPECT_GE(first().plain_endings, 100U);
    EXPECT_EQ(first().since_last_sweep_ns, 0U);
    end_plainly(many - 100);
    EXPECT_NE(first().since_last_sweep_ns, 0U);
    EXPECT_THAT(told(), Contains(EGB_TCP_WAITING));
}

TEST_F(TcpMarks, plain_endings_are_nothing_to_who_does_not_count_them) {
    begin_sweep();
    end_plainly(10);
    EXPECT_EQ(first().plain_endings, 0U);
}

TEST_F(TcpMarks, what_was_met_is_known_over_a_restart) {
    const Connection connection = connect_loopback(Family::ipv4);
    begin_sweep();
    connection.half_close_peer();
    const auto before = meet(connection.ours);
    ASSERT_TRUE(before);
    EXPECT_FALSE(before->flags & EGB_TCP_SINCE_AT_LEAST);
    events_->suspend(state_program);
    events_.reset();
    start();
    const auto after = meet(connection.ours);
    ASSERT_TRUE(after);
    EXPECT_EQ(after->since_ns, before->since_ns);
    EXPECT_EQ(after->quiet_ns, before->quiet_ns);
    EXPECT_FALSE(after->flags & EGB_TCP_SINCE_AT_LEAST);
}

/// That it has left its state meanwhile, nobody hears.
TEST_F(TcpMarks, a_socket_that_is_used_again_begins_anew) {
    test::ReusedClient client;
    const auto first = meet(client.socket());
    ASSERT_TRUE(first);
    events_->suspend(state_program);
    ::poll(nullptr, 0, 300);
    const auto before = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
    client.connect_again();
    const auto second = meet(client.socket());
    ASSERT_TRUE(second);
    EXPECT_GE(second->since_ns + 1'000'000, before);
    EXPECT_GE(second->quiet_ns, before);
    EXPECT_TRUE(second->flags & EGB_TCP_SINCE_AT_LEAST) << "nobody has seen it begin";
}

} // namespace
} // namespace egb::tcp
