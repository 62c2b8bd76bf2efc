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
    /// Whether the program that runs with every change of state is attached, which the store knows.
    [[nodiscard]] bool listens() const {
        return std::ranges::any_of(store_.names(), [](const std::string& name) {
            return name.contains("link.egb_tcp_state");
        });
    }

    /// Has a socket begin to wait, so that there is no more to tell until the next sweep.
    void let_it_go(Watcher& watcher) {
        for (const Instant end = clock_.now() + 2s; listens() && clock_.now() < end; ::poll(nullptr, 0, 20)) {
            others_.push_back(connect_loopback(Family::ipv4));
            others_.back().close_peer();
            ASSERT_TRUE(watcher.kind().drain());
        }
        ASSERT_FALSE(listens());
    }

    host::MonotonicClock clock_;
    test::FakeFdStore store_;
    std::vector<Connection> others_;
};

TEST_F(TcpKernelStates, its_program_is_away_while_it_has_nothing_to_tell) {
    Watcher watcher{store_, "1h"};
    EXPECT_TRUE(listens()) << "from the start on";
    static_cast<void>(watcher.sweep(SweepReason::startup));
    let_it_go(watcher);
    EXPECT_TRUE(watcher.kind().tracker().deadline()) << "the next sweep will come";
    // Others on this machine may begin to wait at any time, so that it goes again at once.
    bool back = false;
    for (const Instant end = clock_.now() + 2s; !back && clock_.now() < end;) {
        static_cast<void>(watcher.sweep(SweepReason::timer));
        back = listens();
    }
    EXPECT_TRUE(back);
}

TEST_F(TcpKernelStates, its_program_stays_while_there_is_a_ghost) {
    Watcher watcher{store_};
    const Connection connection = connect_loopback(Family::ipv4);
    connection.half_close_peer();
    ASSERT_TRUE(watcher.sweep_until_told(connection.ours));
    Connection other = connect_loopback(Family::ipv4);
    other.close_peer();
    ASSERT_TRUE(watcher.kind().drain());
    EXPECT_TRUE(listens());
}

TEST_F(TcpKernelStates, what_was_met_is_known_over_a_restart_without_its_program) {
    const Connection connection = connect_loopback(Family::ipv4);
    {
        Watcher before{store_, "400ms"};
        static_cast<void>(before.sweep(SweepReason::startup));
        connection.half_close_peer();
        static_cast<void>(before.sweep(SweepReason::timer));
        let_it_go(before);
    }
    store_.restart();
    ::poll(nullptr, 0, 400);
    Watcher after{store_, "400ms"};
    const Changes changes = after.sweep(SweepReason::startup);
    const Ghost* ghost = find(changes, connection.ours);
    ASSERT_NE(ghost, nullptr);
    EXPECT_EQ(ghost->since_kind, SinceKind::observed);
}

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

/// A client that is connected again and again, and left in CLOSE_WAIT each time.
class ReusedClient {
public:
    ReusedClient() {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address_);
        EXPECT_EQ(::bind(listener_.get(), address(), size), 0);
        EXPECT_EQ(::listen(listener_.get(), 2), 0);
        EXPECT_EQ(::getsockname(listener_.get(), address(), &size), 0);
        connect();
    }

    void connect_again() {
        sockaddr nobody{};
        nobody.sa_family = AF_UNSPEC;
        EXPECT_EQ(::connect(client_.get(), &nobody, sizeof(nobody)), 0);
        ::poll(nullptr, 0, 300);
        connect();
    }

    [[nodiscard]] const host::Fd& socket() const { return client_; }

private:
    void connect() {
        EXPECT_EQ(::connect(client_.get(), address(), sizeof(address_)), 0);
        EXPECT_TRUE(host::Fd{::accept(listener_.get(), nullptr, nullptr)});
    }

    sockaddr* address() { return reinterpret_cast<sockaddr*>(&address_); }

    sockaddr_in address_{};
    host::Fd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    host::Fd client_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_F(TcpKernelStates, a_socket_that_is_used_again_begins_anew) {
    Watcher watcher{store_};
    ReusedClient client;
    ASSERT_TRUE(watcher.sweep_until_told(client.socket()));
    const Instant before = clock_.now();
    client.connect_again();
    const Changes changes = watcher.sweep(SweepReason::timer);
    const Ghost* second = find(changes, client.socket());
    ASSERT_NE(second, nullptr);
    EXPECT_GE(second->since, before + 299ms);
}

/// Nobody hears that it has left its state.
TEST_F(TcpKernelStates, a_socket_that_is_used_again_begins_anew_while_the_program_is_away) {
    Watcher watcher{store_, "250ms"};
    ReusedClient client;
    EXPECT_EQ(find(watcher.sweep(SweepReason::startup), client.socket()), nullptr);
    let_it_go(watcher);
    client.connect_again();
    EXPECT_EQ(find(watcher.sweep(SweepReason::timer), client.socket()), nullptr)
        << "it waits for the second time";
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
