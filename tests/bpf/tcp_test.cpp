// SPDX-License-Identifier: Apache-2.0
// The kind `tcp` on the real kernel: real sockets in, ghosts out.
#include "harness/fake_fd_store.hpp"
#include "harness/fake_surroundings.hpp"
#include "harness/sockets.hpp"

#include "host/monotonic_clock.hpp"
#include "host/net_namespace.hpp"
#include "host/procfs.hpp"
#include "host/sys.hpp"
#include "kinds/tcp/record.hpp"
#include "kinds/tcp/tcp.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace egb::tcp {
namespace {

using namespace std::chrono_literals;
using test::connect_loopback;
using test::Connection;
using test::Family;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// By which it would be known in this network namespace.
std::string key_for(const host::Fd& socket) {
    egb_tcp_socket record{};
    record.cookie = test::cookie_of(socket);
    record.netns = static_cast<std::uint32_t>(host::own_net_namespace());
    return key_of(record);
}

const Ghost* find(const Changes& changes, const host::Fd& socket) {
    const auto cookie = test::cookie_of(socket);
    const auto found = std::ranges::find_if(changes.ghosts, [&](const Ghost& ghost) {
        return cookie_of(ghost.key) == cookie;
    });
    return found == changes.ghosts.end() ? nullptr : &*found;
}

/// A daemon's worth of surroundings around the real kind.
class Watcher {
public:
    explicit Watcher(host::FdStore& store, std::string_view threshold = "1ns") {
        kind_ = make(around_.with(clock_, procfs_, store, sys_));
        OptionValues values{kind_->info().options};
        for (const auto* name : {"CloseWaitAfter", "FinWait2After", "LastAckAfter"}) {
            EXPECT_TRUE(values.set(name, threshold));
        }
        kind_->configure(values);
        if (auto started = kind_->start(); !started) {
            throw std::runtime_error{started.error().message};
        }
    }

    Changes sweep(SweepReason reason) {
        const auto swept = kind_->sweep(reason);
        EXPECT_TRUE(swept) << swept.error().message;
        return kind_->tracker().tick(clock_.now());
    }

    /// Waits for the next event; false when none comes.
    bool wait_for_event() {
        pollfd waiter{.fd = kind_->event_fd(), .events = POLLIN, .revents = 0};
        if (::poll(&waiter, 1, 2000) != 1) {
            return false;
        }
        return kind_->drain().has_value();
    }

    /// Until it is known that somebody waits; a sweep may have heard so already, of anybody on this machine.
    bool wait_for_deadline() {
        for (const Instant end = clock_.now() + 2s; clock_.now() < end; ::poll(nullptr, 0, 20)) {
            if (!kind_->drain() || kind_->tracker().deadline()) {
                break;
            }
        }
        return kind_->tracker().deadline().has_value();
    }

    /// Sweeps until the socket is told of, for two seconds at most.
    std::optional<Ghost> sweep_until_told(const host::Fd& socket) {
        for (const Instant end = clock_.now() + 2s; clock_.now() < end; ::poll(nullptr, 0, 20)) {
            const Changes changes = sweep(SweepReason::timer);
            if (const Ghost* ghost = find(changes, socket)) {
                return *ghost;
            }
        }
        return std::nullopt;
    }

    Kind& kind() { return *kind_; }
    Changes changes() { return kind_->tracker().tick(clock_.now()); }

private:
    host::MonotonicClock clock_;
    host::ProcFs procfs_{"/proc"};
    test::FakeFdStore sys_store_;
    host::RealSys sys_{procfs_, sys_store_};
    test::FakeSurroundings around_;
    KindPtr kind_;
};

class TcpOnTheKernel : public testing::TestWithParam<Family> {
protected:
    test::FakeFdStore store_;
};

TEST_P(TcpOnTheKernel, sees_a_socket_that_the_peer_has_closed_and_its_holder) {
    Watcher watcher{store_};
    static_cast<void>(watcher.sweep(SweepReason::startup));
    Connection connection = connect_loopback(GetParam());
    connection.close_peer();

    ASSERT_TRUE(watcher.wait_for_deadline());
    const Changes changes = watcher.sweep(SweepReason::timer);
    const Ghost* ghost = find(changes, connection.ours);
    ASSERT_NE(ghost, nullptr);
    EXPECT_EQ(ghost->grade, Grade::proven) << "its peer is on this machine, and closed";
    EXPECT_EQ(ghost->since_kind, SinceKind::observed);
    EXPECT_THAT(ghost->summary, HasSubstr("CLOSE_WAIT"));
    ASSERT_THAT(ghost->holders, SizeIs(1));
    EXPECT_EQ(ghost->holders[0].process->id.pid, ::getpid());
    EXPECT_EQ(ghost->holders[0].fd, connection.ours.get());
    EXPECT_EQ(ghost->holders[0].process->comm, "bpf_test");
}

TEST_P(TcpOnTheKernel, sees_it_in_another_network_namespace) {
    Watcher watcher{store_};
    Connection connection;
    test::in_new_net_namespace([&] {
        connection = connect_loopback(GetParam());
        connection.close_peer();
    });
    const Changes changes = watcher.sweep(SweepReason::timer);
    const Ghost* ghost = find(changes, connection.ours);
    ASSERT_NE(ghost, nullptr);
    EXPECT_THAT(ghost->holders, SizeIs(1));
}

TEST_P(TcpOnTheKernel, finds_one_that_is_older_than_the_daemon_and_since_when_it_is_silent) {
    const host::MonotonicClock clock;
    const Instant before = clock.now();
    Connection connection = connect_loopback(GetParam());
    connection.close_peer();
    Connection elsewhere;
    test::in_new_net_namespace([&] {
        elsewhere = connect_loopback(GetParam());
        elsewhere.close_peer();
    });
    const Instant after = clock.now();
    ::poll(nullptr, 0, 300); // past the delayed acknowledgement, which is a sign of life too
    Watcher watcher{store_};
    const Changes changes = watcher.sweep(SweepReason::startup);
    for (const auto* socket : {&connection.ours, &elsewhere.ours}) {
        const Ghost* ghost = find(changes, *socket);
        ASSERT_NE(ghost, nullptr);
        EXPECT_EQ(ghost->since_kind, SinceKind::at_least);
        EXPECT_GE(ghost->since, before - 1ms);
        EXPECT_LE(ghost->since, after + 250ms);
        EXPECT_THAT(ghost->holders, SizeIs(1));
    }
}

TEST_P(TcpOnTheKernel, sees_it_with_the_clock_in_a_network_namespace_that_no_process_lives_in) {
    Watcher watcher{store_};
    static_cast<void>(watcher.sweep(SweepReason::startup));
    Connection connection;
    test::in_new_net_namespace([&] {
        connection = connect_loopback(GetParam());
        connection.close_peer();
    });
    const Changes changes = watcher.sweep(SweepReason::timer);
    EXPECT_NE(find(changes, connection.ours), nullptr);
}

TEST_P(TcpOnTheKernel, knows_only_a_bound_for_an_older_one_that_has_sent_something_since) {
    const host::MonotonicClock clock;
    const Connection connection = connect_loopback(GetParam());
    connection.half_close_peer();
    ::poll(nullptr, 0, 300);
    const Instant sent = clock.now();
    ASSERT_EQ(::write(connection.ours.get(), "x", 1), 1);
    Watcher watcher{store_};
    const auto ghost = watcher.sweep_until_told(connection.ours);
    ASSERT_TRUE(ghost);
    EXPECT_EQ(ghost->since_kind, SinceKind::at_least);
    EXPECT_GE(ghost->since, sent - 1ms);
}

TEST_P(TcpOnTheKernel, tells_when_the_application_closes_it_after_all) {
    Watcher watcher{store_};
    Connection connection = connect_loopback(GetParam());
    connection.close_peer();
    const Changes before = watcher.sweep(SweepReason::timer);
    const Ghost* ghost = find(before, connection.ours);
    ASSERT_NE(ghost, nullptr);
    static_cast<void>(watcher.kind().drain());

    connection.ours.reset();
    ASSERT_TRUE(watcher.wait_for_event());
    const Changes after = watcher.changes();
    ASSERT_THAT(after.vanished, Contains(testing::Field(&Vanished::key, ghost->key)));
    EXPECT_THAT(after.vanished[0].reason, HasSubstr("closed"));
}

TEST_P(TcpOnTheKernel, keeps_its_memory_over_a_restart) {
    Connection connection = connect_loopback(GetParam());
    Instant since;
    {
        Watcher before{store_};
        static_cast<void>(before.sweep(SweepReason::startup));
        connection.close_peer();
        const Changes changes = before.sweep(SweepReason::timer);
        const Ghost* ghost = find(changes, connection.ours);
        ASSERT_NE(ghost, nullptr);
        since = ghost->since;
    }
    Connection meanwhile = connect_loopback(GetParam());
    meanwhile.close_peer(); // while no daemon runs

    Watcher after{store_};
    const Changes changes = after.sweep(SweepReason::startup);
    const Ghost* ghost = find(changes, connection.ours);
    ASSERT_NE(ghost, nullptr);
    EXPECT_EQ(ghost->since, since);
    EXPECT_EQ(ghost->since_kind, SinceKind::observed);
    const Ghost* born_meanwhile = find(changes, meanwhile.ours);
    ASSERT_NE(born_meanwhile, nullptr);
    EXPECT_EQ(born_meanwhile->since_kind, SinceKind::observed);
}

INSTANTIATE_TEST_SUITE_P(families, TcpOnTheKernel,
                         testing::Values(Family::ipv4, Family::ipv6, Family::v4_mapped),
                         [](const auto& family) {
                             switch (family.param) {
                             case Family::ipv4:
                                 return "ipv4";
                             case Family::ipv6:
                                 return "ipv6";
                             case Family::v4_mapped:
                                 return "v4_mapped";
                             }
                             return "";
                         });

class TcpKernelStates : public testing::Test {
protected:
    test::FakeFdStore store_;
};

TEST_F(TcpKernelStates, data_that_moves_starts_the_clock_again) {
    Watcher watcher{store_, "200ms"};
    const Connection connection = connect_loopback(Family::ipv4);
    connection.half_close_peer();
    const auto ghost = watcher.sweep_until_told(connection.ours);
    ASSERT_TRUE(ghost);

    ASSERT_EQ(::write(connection.ours.get(), "x", 1), 1);
    const Changes moving = watcher.sweep(SweepReason::timer);
    EXPECT_THAT(moving.vanished, Contains(testing::Field(&Vanished::key, ghost->key)));
}

TEST_F(TcpKernelStates, reading_the_end_of_the_stream_moves_no_data) {
    Watcher watcher{store_};
    Connection connection = connect_loopback(Family::ipv4);
    connection.close_peer();
    char byte = 0;
    ASSERT_EQ(::read(connection.ours.get(), &byte, 1), 0);
    const auto ghost = watcher.sweep_until_told(connection.ours);
    ASSERT_TRUE(ghost);
    for (const Evidence& evidence : ghost->evidence) {
        EXPECT_NE(evidence.rule->name, "unread");
        if (evidence.rule->name == "quiet") {
            EXPECT_EQ(instant_of(static_cast<std::uint64_t>(evidence.value)), ghost->since);
        }
    }
}

/// A client that is connected a second time, after it was left in CLOSE_WAIT.
TEST_F(TcpKernelStates, a_socket_that_is_used_again_begins_anew) {
    Watcher watcher{store_};
    const host::Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener.get(), generic, size), 0);
    ASSERT_EQ(::listen(listener.get(), 2), 0);
    ASSERT_EQ(::getsockname(listener.get(), generic, &size), 0);
    const host::Fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto live = [&] {
        ASSERT_EQ(::connect(client.get(), generic, size), 0);
        const host::Fd server{::accept(listener.get(), nullptr, nullptr)};
        ASSERT_TRUE(server);
    };
    live();
    const auto first = watcher.sweep_until_told(client);
    ASSERT_TRUE(first);
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    ASSERT_EQ(::connect(client.get(), &nobody, sizeof(nobody)), 0);
    ::poll(nullptr, 0, 300);
    const Instant again = host::MonotonicClock{}.now();
    live();
    const Changes changes = watcher.sweep(SweepReason::timer);
    const Ghost* second = find(changes, client);
    ASSERT_NE(second, nullptr);
    EXPECT_GE(second->since, again - 1ms);
}

TEST_F(TcpKernelStates, who_has_had_something_to_read_may_have_read_it_just_now) {
    Watcher watcher{store_, "1s"};
    Connection connection = connect_loopback(Family::ipv4);
    ASSERT_EQ(::write(connection.peer.get(), "request", 7), 7);
    std::array<char, 8> got{};
    ASSERT_EQ(::read(connection.ours.get(), got.data(), got.size()), 7);
    connection.close_peer();
    ::poll(nullptr, 0, 1200);
    EXPECT_EQ(find(watcher.sweep(SweepReason::timer), connection.ours), nullptr) << "met for the first time";
    ::poll(nullptr, 0, 1100);
    EXPECT_NE(find(watcher.sweep(SweepReason::timer), connection.ours), nullptr);
}

TEST_F(TcpKernelStates, a_half_closed_sender_is_reported_as_fin_wait2) {
    Watcher watcher{store_};
    const Connection connection = connect_loopback(Family::ipv4);
    connection.half_close_peer();
    const auto ghost = watcher.sweep_until_told(connection.peer);
    ASSERT_TRUE(ghost);
    EXPECT_THAT(ghost->summary, HasSubstr("FIN_WAIT2"));
}

TEST_F(TcpKernelStates, a_plain_close_leaves_nothing_behind) {
    Watcher watcher{store_};
    static_cast<void>(watcher.sweep(SweepReason::startup));
    const Connection waiting = connect_loopback(Family::ipv4);
    waiting.half_close_peer();
    std::vector<std::string> closed;
    for (int i = 0; i < 20; ++i) {
        Connection connection = connect_loopback(Family::ipv4);
        closed.push_back(key_for(connection.ours));
        closed.push_back(key_for(connection.peer));
        connection.close_peer();
    }
    static_cast<void>(watcher.sweep(SweepReason::timer));
    const auto& tracker = watcher.kind().tracker();
    EXPECT_THAT(tracker.describe(key_for(waiting.ours)), Not(IsEmpty())) << "what waits is tracked";
    for (const std::string& key : closed) {
        EXPECT_THAT(tracker.describe(key), IsEmpty());
    }
}

TEST_F(TcpKernelStates, an_established_connection_is_not_even_looked_at) {
    Watcher watcher{store_};
    const Connection connection = connect_loopback(Family::ipv4);
    const Changes changes = watcher.sweep(SweepReason::startup);
    EXPECT_EQ(find(changes, connection.ours), nullptr);
    EXPECT_EQ(find(changes, connection.peer), nullptr);
}

TEST_F(TcpKernelStates, a_busy_server_wakes_the_daemon_once_and_not_for_each_socket) {
    Watcher watcher{store_};
    static_cast<void>(watcher.sweep(SweepReason::startup));
    while (watcher.kind().drain().value()) {
    }
    std::vector<Connection> connections;
    for (int i = 0; i < 50; ++i) {
        connections.push_back(connect_loopback(Family::ipv4));
        connections.back().close_peer();
    }
    ASSERT_TRUE(watcher.wait_for_deadline());
    pollfd waiter{.fd = watcher.kind().event_fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waiter, 1, 0), 0) << "a second event for the same wave of sockets";
}

TEST_F(TcpKernelStates, the_canary_comes_back) {
    Watcher watcher{store_};
    ASSERT_TRUE(watcher.kind().provoke_canary());
    ASSERT_TRUE(watcher.wait_for_event());
    EXPECT_EQ(watcher.kind().canaries(), 1U);
}

TEST_F(TcpKernelStates, every_capability_of_this_kernel_is_there) {
    Watcher watcher{store_};
    static_cast<void>(watcher.sweep(SweepReason::startup));
    for (const Capability& capability : watcher.kind().capabilities()) {
        EXPECT_TRUE(capability.works) << capability.name << ": " << capability.detail;
    }
}

} // namespace
} // namespace egb::tcp
