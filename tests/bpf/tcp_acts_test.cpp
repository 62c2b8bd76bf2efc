// SPDX-License-Identifier: Apache-2.0
// What the kind `tcp` does to sockets, on the real kernel: the ghost dies, the look-alike lives.
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
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace egb::tcp {
namespace {

using namespace std::chrono_literals;
using test::connect_loopback;
using test::Connection;
using test::Family;
using testing::HasSubstr;

int option_of(const host::Fd& socket, int level, int name) {
    int value = -1;
    socklen_t size = sizeof(value);
    EXPECT_EQ(::getsockopt(socket.get(), level, name, &value, &size), 0);
    return value;
}

void set_option(const host::Fd& socket, int level, int name, int value) {
    ASSERT_EQ(::setsockopt(socket.get(), level, name, &value, sizeof(value)), 0);
}

std::uint8_t state_of(const host::Fd& socket) {
    tcp_info info{};
    socklen_t size = sizeof(info);
    EXPECT_EQ(::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_state;
}

/// The peer has half-closed and is gone without a word, as after a crash of its machine.
void lose_peer(Connection& connection) {
    connection.half_close_peer();
    ::poll(nullptr, 0, 50); // until its FIN has been acknowledged
    set_option(connection.peer, IPPROTO_TCP, TCP_REPAIR, 1);
    connection.peer.reset();
}

void allow_many_files() {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/// All options that a nudge touches.
std::array<int, 5> options_of(const host::Fd& socket) {
    return {option_of(socket, SOL_SOCKET, SO_KEEPALIVE), option_of(socket, IPPROTO_TCP, TCP_KEEPIDLE),
            option_of(socket, IPPROTO_TCP, TCP_KEEPINTVL), option_of(socket, IPPROTO_TCP, TCP_KEEPCNT),
            option_of(socket, IPPROTO_TCP, TCP_USER_TIMEOUT)};
}

/// The kind, and the hands that it acts with.
class Actor {
public:
    Actor(host::FdStore& kept, host::FdStore& kept_by_hands, bool programs = true)
        : sys_{procfs_, kept_by_hands, programs} {
        start(kept);
    }
    explicit Actor(host::FdStore& kept, bool programs = true) : Actor{kept, kept, programs} {}

    void configure(std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
        for (const auto& [name, value] : values) {
            EXPECT_TRUE(values_.set(name, value)) << name;
        }
        kind_->configure(values_);
    }

    /// The ghost that the socket is; it must be one.
    GhostPtr ghost_of(const host::Fd& socket, SweepReason reason = SweepReason::startup) {
        const auto ghosts = ghosts_by_cookie(reason);
        const auto found = ghosts.find(test::cookie_of(socket));
        if (found == ghosts.end()) {
            ADD_FAILURE() << "the socket is no ghost";
            return std::make_shared<const Ghost>();
        }
        return found->second;
    }

    /// What a sweep has to tell, but for leaks.
    std::map<std::uint64_t, GhostPtr> ghosts_by_cookie(SweepReason reason) {
        EXPECT_TRUE(kind_->sweep(reason));
        std::map<std::uint64_t, GhostPtr> ghosts;
        for (Ghost& ghost : kind_->tracker().tick(clock_.now()).ghosts) {
            if (const auto cookie = cookie_of(ghost.key)) {
                ghosts.emplace(*cookie, std::make_shared<const Ghost>(std::move(ghost)));
            }
        }
        return ghosts;
    }

    Outcome ask(const GhostPtr& ghost) { return kind_->cleaner()->ask(std::array{ghost}).at(0); }
    Outcome clean(const GhostPtr& ghost) { return kind_->cleaner()->clean(std::array{ghost}).at(0); }

    /// Follows events and sweeps, as the daemon does, until something is told of this ghost: others on the
    /// machine have theirs.
    Changes wait_for_changes(const GhostPtr& ghost, Span longest = 6s) {
        Changes changes;
        for (const Instant end = clock_.now() + longest; clock_.now() < end; ::poll(nullptr, 0, 100)) {
            static_cast<void>(kind_->drain());
            EXPECT_TRUE(kind_->sweep(SweepReason::timer));
            changes = kind_->tracker().tick(clock_.now());
            std::erase_if(changes.ghosts, [&](const Ghost& other) {
                return other.key != ghost->key;
            });
            std::erase_if(changes.vanished, [&](const Vanished& other) {
                return other.key != ghost->key;
            });
            if (!changes.empty()) {
                break;
            }
        }
        return changes;
    }

    Kind& kind() { return *kind_; }

private:
    void start(host::FdStore& kept) {
        kind_ = make(around_.with(clock_, procfs_, kept, sys_));
        configure({{"CloseWaitAfter", "1ns"}, {"NudgeInterval", "1s"}, {"NudgeProbes", "3"}});
        const auto started = kind_->start();
        EXPECT_TRUE(started) << started.error().message;
    }

    host::MonotonicClock clock_;
    host::ProcFs procfs_{"/proc"};
    host::RealSys sys_;
    test::FakeSurroundings around_;
    OptionValues values_{info().options};
    KindPtr kind_;
};

/// The same with the programs of the kernel side and without them, as on a kernel that refuses these.
class TcpActs : public testing::TestWithParam<std::tuple<Family, bool>> {
protected:
    static Connection connect() { return connect_loopback(std::get<Family>(GetParam())); }

    test::FakeFdStore store_;
    Actor actor_{store_, std::get<bool>(GetParam())};
};

TEST_P(TcpActs, a_socket_whose_peer_is_gone_ends_when_its_peer_is_asked) {
    Connection connection = connect();
    lose_peer(connection);
    const auto ghost = actor_.ghost_of(connection.ours);
    EXPECT_EQ(actor_.ask(ghost).verdict, Verdict::asked);

    const Changes changes = actor_.wait_for_changes(ghost);
    ASSERT_EQ(changes.vanished.size(), 1U);
    EXPECT_EQ(changes.vanished[0].key, ghost->key);
    EXPECT_TRUE(changes.vanished[0].by_question) << changes.vanished[0].reason;
    EXPECT_EQ(state_of(connection.ours), TCP_CLOSE);
}

TEST_P(TcpActs, a_live_half_close_answers_and_lives_with_its_own_options) {
    const Connection connection = connect();
    connection.half_close_peer();
    set_option(connection.ours, IPPROTO_TCP, TCP_KEEPINTVL, 77);
    const auto before = options_of(connection.ours);
    const auto ghost = actor_.ghost_of(connection.ours);
    EXPECT_EQ(ghost->grade, Grade::suspected);
    EXPECT_TRUE(ghost->askable);
    EXPECT_EQ(actor_.ask(ghost).verdict, Verdict::asked);
    EXPECT_NE(options_of(connection.ours), before) << "it is being asked";

    const Changes changes = actor_.wait_for_changes(ghost);
    ASSERT_EQ(changes.ghosts.size(), 1U);
    EXPECT_THAT(changes.ghosts[0].evidence,
                testing::Contains(testing::Field(
                    &Evidence::rule, testing::Pointee(testing::Field(&EvidenceRule::name, "peer-alive")))));
    EXPECT_EQ(options_of(connection.ours), before);
    EXPECT_EQ(state_of(connection.ours), TCP_CLOSE_WAIT);
    ASSERT_EQ(::write(connection.ours.get(), "answer", 6), 6);
    std::array<char, 8> got{};
    EXPECT_EQ(::read(connection.peer.get(), got.data(), got.size()), 6);
}

TEST_P(TcpActs, a_peer_that_is_closed_for_good_is_proof) {
    Connection connection = connect();
    connection.close_peer();
    const auto ghost = actor_.ghost_of(connection.ours);
    EXPECT_EQ(ghost->grade, Grade::proven);
    const Outcome outcome = actor_.clean(ghost);
    EXPECT_EQ(outcome.verdict, Verdict::cleaned) << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr("descriptor"));
    EXPECT_EQ(state_of(connection.ours), TCP_CLOSE);
    char byte = 0;
    EXPECT_LE(::read(connection.ours.get(), &byte, 1), 0);
}

TEST_P(TcpActs, one_whose_application_writes_after_all_is_left_alone) {
    const Connection connection = connect();
    connection.half_close_peer();
    const auto ghost = actor_.ghost_of(connection.ours);
    ASSERT_EQ(::write(connection.ours.get(), "late", 4), 4);
    for (const auto& outcome : {actor_.clean(ghost), actor_.ask(ghost)}) {
        EXPECT_EQ(outcome.verdict, Verdict::refused) << outcome.reason;
    }
    EXPECT_EQ(state_of(connection.ours), TCP_CLOSE_WAIT);
}

/// By another connection of the same socket, whose counters are the same.
TEST_P(TcpActs, one_that_is_used_again_is_left_alone) {
    test::ReusedClient client;
    const auto ghost = actor_.ghost_of(client.socket());
    client.connect_again();
    const Outcome outcome = actor_.clean(ghost);
    EXPECT_THAT((std::array{Verdict::gone, Verdict::refused}), testing::Contains(outcome.verdict))
        << outcome.reason;
    EXPECT_EQ(state_of(client.socket()), TCP_CLOSE_WAIT);
}

TEST_P(TcpActs, one_whose_application_closes_it_after_all_is_left_alone) {
    const Connection connection = connect();
    connection.half_close_peer();
    const auto ghost = actor_.ghost_of(connection.ours);
    ASSERT_EQ(::shutdown(connection.ours.get(), SHUT_WR), 0);
    const Outcome outcome = actor_.clean(ghost);
    EXPECT_THAT((std::array{Verdict::gone, Verdict::refused}), testing::Contains(outcome.verdict));
}

TEST_P(TcpActs, a_network_namespace_in_which_no_process_lives_is_entered_by_way_of_the_holder) {
    Connection connection;
    test::in_new_net_namespace([&] {
        connection = connect();
        connection.half_close_peer();
    });
    const Outcome outcome = actor_.clean(actor_.ghost_of(connection.ours));
    EXPECT_EQ(outcome.verdict, Verdict::cleaned) << outcome.reason;
    EXPECT_EQ(state_of(connection.ours), TCP_CLOSE);
}

TEST_P(TcpActs, a_question_is_taken_back) {
    const Connection connection = connect();
    connection.half_close_peer();
    const auto before = options_of(connection.ours);
    const auto ghost = actor_.ghost_of(connection.ours);
    EXPECT_EQ(actor_.ask(ghost).verdict, Verdict::asked);
    EXPECT_NE(options_of(connection.ours), before);
    actor_.kind().cleaner()->take_back(std::array{ghost});
    EXPECT_EQ(options_of(connection.ours), before);
    EXPECT_EQ(state_of(connection.ours), TCP_CLOSE_WAIT);
}

TEST_P(TcpActs, its_own_keepalive_is_left_alone) {
    const Connection connection = connect();
    set_option(connection.ours, SOL_SOCKET, SO_KEEPALIVE, 1);
    connection.half_close_peer();
    const Outcome outcome = actor_.ask(actor_.ghost_of(connection.ours));
    EXPECT_EQ(outcome.verdict, Verdict::refused);
    EXPECT_THAT(outcome.reason, HasSubstr("SO_KEEPALIVE"));
}

std::string way_name(const testing::TestParamInfo<std::tuple<Family, bool>>& way) {
    const std::array names{"ipv4", "ipv6", "v4_mapped"};
    return std::string{names.at(std::to_underlying(std::get<Family>(way.param)))} +
           (std::get<bool>(way.param) ? "_by_programs" : "_without_programs");
}

INSTANTIATE_TEST_SUITE_P(ways, TcpActs,
                         testing::Combine(testing::Values(Family::ipv4, Family::ipv6, Family::v4_mapped),
                                          testing::Bool()),
                         way_name);

class TcpActsOnce : public testing::Test {
protected:
    test::FakeFdStore store_;
};

TEST_F(TcpActsOnce, an_application_with_a_short_timeout_of_its_own_does_not_lose_a_live_peer) {
    Actor actor{store_};
    const Connection connection = connect_loopback(Family::ipv4);
    set_option(connection.ours, IPPROTO_TCP, TCP_USER_TIMEOUT, 10);
    connection.half_close_peer();
    ::poll(nullptr, 0, 50);
    const auto ghost = actor.ghost_of(connection.ours);
    EXPECT_EQ(actor.ask(ghost).verdict, Verdict::asked);
    EXPECT_EQ(actor.wait_for_changes(ghost).vanished.size(), 0U);
    EXPECT_EQ(state_of(connection.ours), TCP_CLOSE_WAIT);
    EXPECT_EQ(option_of(connection.ours, IPPROTO_TCP, TCP_USER_TIMEOUT), 10);
}

TEST_F(TcpActsOnce, what_an_application_sets_meanwhile_stays) {
    Actor actor{store_};
    const Connection connection = connect_loopback(Family::ipv4);
    connection.half_close_peer();
    const auto ghost = actor.ghost_of(connection.ours);
    EXPECT_EQ(actor.ask(ghost).verdict, Verdict::asked);
    set_option(connection.ours, IPPROTO_TCP, TCP_KEEPCNT, 44);
    static_cast<void>(actor.wait_for_changes(ghost));
    EXPECT_EQ(option_of(connection.ours, IPPROTO_TCP, TCP_KEEPCNT), 44);
    EXPECT_EQ(option_of(connection.ours, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST_F(TcpActsOnce, the_next_run_puts_back_what_a_killed_one_has_left) {
    const Connection connection = connect_loopback(Family::ipv4);
    connection.half_close_peer();
    const auto before = options_of(connection.ours);
    // The hands' store outlives the first kind, and the first hands forget, as in a process that is killed.
    test::FakeFdStore hands;
    const host::ProcFs procfs{"/proc"};
    host::RealSys killed{procfs, hands};
    const host::SocketTarget target{.cookie = test::cookie_of(connection.ours),
                                    .netns = host::own_net_namespace(),
                                    .state = TCP_CLOSE_WAIT,
                                    .family = {},
                                    .local = {},
                                    .remote = {},
                                    .local_port = {},
                                    .remote_port = {},
                                    .bytes_sent = 0,
                                    .bytes_acked = 0,
                                    .bytes_received = 0,
                                    .receive_queue = 0,
                                    .send_queue = 0,
                                    .first_sequence = 0,
                                    .holders = {}};
    const auto nudged = killed.nudge_sockets(std::array{target}, {.interval = 100s, .probes = 9});
    ASSERT_TRUE(nudged.at(0)) << nudged.at(0).error().message;
    ASSERT_NE(options_of(connection.ours), before);

    Actor actor{store_, hands};
    const auto ghost = actor.ghost_of(connection.ours);
    static_cast<void>(actor.wait_for_changes(ghost));
    EXPECT_EQ(options_of(connection.ours), before);
}

TEST_F(TcpActsOnce, a_kind_that_ends_takes_back_its_questions) {
    const Connection connection = connect_loopback(Family::ipv4);
    connection.half_close_peer();
    const auto before = options_of(connection.ours);
    {
        Actor actor{store_};
        EXPECT_EQ(actor.ask(actor.ghost_of(connection.ours)).verdict, Verdict::asked);
        EXPECT_NE(options_of(connection.ours), before);
    }
    EXPECT_EQ(options_of(connection.ours), before);
}

TEST_F(TcpActsOnce, a_rehearsal_changes_nothing) {
    const host::MonotonicClock clock;
    const host::ProcFs procfs{"/proc"};
    host::DrySys dry{procfs, store_};
    test::FakeSurroundings around;
    test::FakeFdStore kept;
    const auto kind = make(around.with(clock, procfs, kept, dry));
    OptionValues values{info().options};
    ASSERT_TRUE(values.set("CloseWaitAfter", "1ns"));
    kind->configure(values);
    ASSERT_TRUE(kind->start());
    const Connection connection = connect_loopback(Family::ipv4);
    connection.half_close_peer();
    const auto before = options_of(connection.ours);
    ASSERT_TRUE(kind->sweep(SweepReason::startup));
    for (const Ghost& ghost : kind->tracker().tick(clock.now()).ghosts) {
        if (cookie_of(ghost.key) != test::cookie_of(connection.ours)) {
            continue;
        }
        const auto shared = std::make_shared<const Ghost>(ghost);
        for (const auto& outcomes :
             {kind->cleaner()->ask(std::array{shared}), kind->cleaner()->clean(std::array{shared})}) {
            EXPECT_EQ(outcomes.at(0).verdict, Verdict::refused);
            EXPECT_THAT(outcomes.at(0).reason, HasSubstr("dry run"));
        }
    }
    EXPECT_EQ(options_of(connection.ours), before);
    EXPECT_EQ(state_of(connection.ours), TCP_CLOSE_WAIT);
}

/// Two threads do it, with a half of the kernel's table for each.
TEST_F(TcpActsOnce, of_very_many_each_is_ended_but_those_that_have_moved) {
    constexpr std::size_t many = 2'500;
    constexpr std::size_t one_in = 10;
    allow_many_files();
    std::vector<Connection> connections;
    for (std::size_t at = 0; at < many; ++at) {
        connections.push_back(connect_loopback(Family::ipv4));
        connections.back().half_close_peer();
    }
    Actor actor{store_};
    const auto found = actor.ghosts_by_cookie(SweepReason::startup);
    std::vector<GhostPtr> ghosts;
    ghosts.reserve(connections.size());
    for (const Connection& connection : connections) {
        ghosts.push_back(found.at(test::cookie_of(connection.ours)));
    }
    for (std::size_t at = 0; at < many; at += one_in) {
        ASSERT_EQ(::send(connections[at].ours.get(), "x", 1, 0), 1);
    }

    const auto outcomes = actor.kind().cleaner()->clean(ghosts);
    for (std::size_t at = 0; at < many; ++at) {
        const bool moved = at % one_in == 0;
        EXPECT_EQ(outcomes.at(at).verdict, moved ? Verdict::refused : Verdict::cleaned)
            << outcomes.at(at).reason;
        EXPECT_EQ(state_of(connections[at].ours), moved ? TCP_CLOSE_WAIT : TCP_CLOSE);
    }
}

TEST_F(TcpActsOnce, one_of_two_with_the_same_addresses_in_different_network_namespaces_is_ended) {
    Actor actor{store_};
    Connection here = connect_loopback(Family::ipv4);
    Connection elsewhere;
    test::in_new_net_namespace([&] {
        elsewhere = test::connect_twin_of(here);
    });
    here.close_peer();
    elsewhere.half_close_peer();
    const auto ghost = actor.ghost_of(here.ours);
    EXPECT_EQ(ghost->grade, Grade::proven);
    EXPECT_EQ(actor.clean(ghost).verdict, Verdict::cleaned);
    EXPECT_EQ(state_of(here.ours), TCP_CLOSE);
    EXPECT_EQ(state_of(elsewhere.ours), TCP_CLOSE_WAIT);
}

} // namespace
} // namespace egb::tcp
