// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/tracker.hpp"

#include "kinds/tcp/evidence.hpp"
#include "kinds/tcp/record.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include <array>

namespace egb::tcp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Span threshold = 60s;

std::uint64_t nanoseconds(Instant at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

/// Plays the kernel side: keeps the time, writes the records.
class Stage {
public:
    Stage() { tracker.set_thresholds({.close_wait = threshold, .fin_wait2 = 2 * threshold, .last_ack = {}}); }

    egb_tcp_socket socket(std::uint64_t cookie, std::uint8_t state = TCP_CLOSE_WAIT) const {
        egb_tcp_socket record{};
        record.header = {.type = EGB_TCP_SOCKET, .size = sizeof(record), .reserved = 0, .time_ns = 0};
        record.cookie = cookie;
        record.since_ns = nanoseconds(now);
        record.quiet_ns = nanoseconds(now);
        record.netns = 7;
        record.family = AF_INET;
        record.state = state;
        return record;
    }

    void pass(Span span) { now += span; }

    /// One whole sweep that meets these sockets, each held by these pids.
    Changes sweep(std::vector<egb_tcp_socket> sockets, const std::vector<std::int32_t>& pids = {100}) {
        observe(SightingType::sweep_begin);
        for (auto& record : sockets) {
            record.header.time_ns = nanoseconds(now);
            observe(SightingType::seen, record);
        }
        if (tracker.wants_holders()) {
            for (const auto& record : sockets) {
                hold(record.cookie, pids);
            }
        }
        for (const auto& peer : peers_) {
            observe(SightingType::seen, peer);
        }
        observe(SightingType::sweep_end);
        return tracker.tick(now);
    }

    Changes end(std::uint64_t cookie, std::uint8_t next_state, std::uint16_t error = 0) {
        observe(SightingType::gone, end_record(cookie, next_state, error));
        return tracker.tick(now);
    }

    [[nodiscard]] egb_tcp_end end_record(std::uint64_t cookie, std::uint8_t next_state,
                                         std::uint16_t error = 0) const {
        return {.header = {.type = EGB_TCP_END,
                           .size = sizeof(egb_tcp_end),
                           .reserved = 0,
                           .time_ns = nanoseconds(now)},
                .cookie = cookie,
                .netns = 7,
                .next_state = next_state,
                .error = error};
    }

    void announce() {
        const egb_header header{.type = EGB_TCP_WAITING, .size = sizeof(header), .reserved = 0, .time_ns = 0};
        observe(SightingType::seen, header);
    }

    template <typename Record>
    void observe(SightingType type, const Record& record) {
        tracker.observe({.type = type,
                         .source = Source::sweep,
                         .at = now,
                         .record = std::as_bytes(std::span{&record, 1})});
    }

    /// What the next sweep will find of peers on this machine.
    void list_peers(std::vector<egb_tcp_peer> peers) { peers_ = std::move(peers); }

    void tell(std::uint16_t type, std::uint64_t cookie) {
        observe(
            SightingType::seen,
            egb_tcp_note{.header = {.type = type, .size = sizeof(egb_tcp_note), .reserved = 0, .time_ns = 0},
                         .cookie = cookie});
    }

    void observe(SightingType type) { tracker.observe({.type = type, .source = Source::sweep, .at = now}); }

    TcpTracker tracker;
    Instant now{1h};
    std::string unit{"app.service"}; ///< of whoever holds a socket

    void hold(std::uint64_t cookie, const std::vector<std::int32_t>& pids) {
        for (const std::int32_t pid : pids) {
            const egb_tcp_holder record{
                .header = {.type = EGB_TCP_HOLDER, .size = sizeof(record), .reserved = 0, .time_ns = 0},
                .cookie = cookie,
                .start_boottime_ns = 1,
                .pid = pid,
                .fd = 5};
            auto process = std::make_shared<Process>();
            process->id = {.boot_id = "boot", .pid = pid, .start_ticks = 1};
            process->comm = "app";
            process->unit = unit;
            tracker.observe({.type = SightingType::held,
                             .source = Source::sweep,
                             .at = now,
                             .record = std::as_bytes(std::span{&record, 1}),
                             .process = process});
        }
    }

private:
    std::vector<egb_tcp_peer> peers_;
};

std::vector<std::string_view> names(const Ghost& ghost) {
    std::vector<std::string_view> names;
    std::ranges::transform(ghost.evidence, std::back_inserter(names), [](const Evidence& evidence) {
        return evidence.rule->name;
    });
    return names;
}

TEST(TcpTracker, a_young_socket_is_tracked_and_not_suspected) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold - 1s);
    EXPECT_TRUE(stage.sweep({socket}).empty());
    EXPECT_EQ(stage.tracker.tracked(), 1U);
}

TEST(TcpTracker, suspects_a_socket_at_its_threshold) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    const Changes changes = stage.sweep({socket});
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    const Ghost& ghost = changes.ghosts[0];
    EXPECT_EQ(ghost.key, "1@7");
    EXPECT_EQ(ghost.grade, Grade::suspected);
    EXPECT_EQ(ghost.since, stage.now - threshold);
    EXPECT_THAT(names(ghost), ElementsAre("state-age", "quiet", "half-close"));
    ASSERT_THAT(ghost.holders, SizeIs(1));
    EXPECT_EQ(ghost.holders[0].process->id.pid, 100);
}

TEST(TcpTracker, age_alone_is_no_suspicion_while_data_moves) {
    Stage stage;
    auto socket = stage.socket(1);
    stage.pass(10 * threshold);
    socket.quiet_ns = nanoseconds(stage.now - threshold + 1s);
    EXPECT_TRUE(stage.sweep({socket}).empty());
}

TEST(TcpTracker, each_state_has_its_own_threshold_and_zero_is_for_ever) {
    Stage stage;
    const auto fin_wait = stage.socket(1, TCP_FIN_WAIT2);
    const auto last_ack = stage.socket(2, TCP_LAST_ACK);
    stage.pass(2 * threshold - 1s);
    EXPECT_TRUE(stage.sweep({fin_wait, last_ack}).empty());
    stage.pass(1000 * threshold);
    const Changes changes = stage.sweep({fin_wait, last_ack});
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    EXPECT_EQ(changes.ghosts[0].key, "1@7");
}

TEST(TcpTracker, says_a_thing_once) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    EXPECT_THAT(stage.sweep({socket}).ghosts, SizeIs(1));
    stage.pass(threshold);
    EXPECT_TRUE(stage.sweep({socket}).empty());
}

TEST(TcpTracker, tells_again_when_the_holders_change) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    static_cast<void>(stage.sweep({socket}, {100}));
    const Changes more = stage.sweep({socket}, {100, 101});
    ASSERT_THAT(more.ghosts, SizeIs(1));
    EXPECT_THAT(more.ghosts[0].holders, SizeIs(2));
    const Changes none = stage.sweep({socket}, {});
    ASSERT_THAT(none.ghosts, SizeIs(1));
    EXPECT_THAT(none.ghosts[0].holders, IsEmpty());
    EXPECT_THAT(names(none.ghosts[0]), testing::Contains("no-holder"));
}

TEST(TcpTracker, tells_again_when_a_holder_moves_to_a_unit_that_may_be_protected) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    static_cast<void>(stage.sweep({socket}));
    stage.unit = "precious.service";
    const Changes changes = stage.sweep({socket});
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    EXPECT_EQ(changes.ghosts[0].holders[0].process->unit, "precious.service");
}

TEST(TcpTracker, a_ghost_that_moves_again_is_none) {
    Stage stage;
    auto socket = stage.socket(1);
    stage.pass(threshold);
    static_cast<void>(stage.sweep({socket}));
    socket.quiet_ns = nanoseconds(stage.now);
    const Changes moving = stage.sweep({socket});
    EXPECT_THAT(moving.vanished, ElementsAre(Field(&Vanished::key, "1@7")));
    stage.pass(threshold);
    EXPECT_THAT(stage.sweep({socket}).ghosts, SizeIs(1)) << "and may become one again";
}

TEST(TcpTracker, what_a_sweep_does_not_meet_is_gone) {
    Stage stage;
    const auto told = stage.socket(1);
    stage.pass(threshold);
    const auto young = stage.socket(2);
    static_cast<void>(stage.sweep({told, young}));
    EXPECT_TRUE(stage.sweep({}).empty()) << "an iterator may step over a socket";
    EXPECT_LT(*stage.tracker.deadline() - stage.now, 1s) << "but that is looked into soon";
    EXPECT_TRUE(stage.sweep({}).empty());
    const Changes changes = stage.sweep({});
    EXPECT_THAT(changes.vanished, ElementsAre(Field(&Vanished::key, "1@7")))
        << "nobody was told of the other";
    EXPECT_EQ(stage.tracker.tracked(), 0U);
}

TEST(TcpTracker, a_socket_that_one_sweep_has_stepped_over_is_the_same_ghost) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    static_cast<void>(stage.sweep({socket}));
    for (int time = 0; time < 5; ++time) {
        EXPECT_TRUE(stage.sweep({}).empty());
        EXPECT_TRUE(stage.sweep({}).empty());
        EXPECT_TRUE(stage.sweep({socket}).empty()) << "neither gone nor new";
    }
}

TEST(TcpTracker, for_ever_is_no_deadline) {
    Stage stage;
    stage.tracker.set_thresholds({.close_wait = forever, .fin_wait2 = {}, .last_ack = {}});
    stage.announce();
    EXPECT_FALSE(stage.tracker.deadline());
    const auto socket = stage.socket(1);
    stage.pass(1000h);
    EXPECT_TRUE(stage.sweep({socket}).empty());
    EXPECT_GT(*stage.tracker.deadline(), stage.now + 1000h);
}

TEST(TcpTracker, does_not_claim_that_nobody_holds_it_when_nobody_can_look) {
    Stage stage;
    stage.tracker.trust_holders(false);
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    const Changes changes = stage.sweep({socket}, {});
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    EXPECT_THAT(names(changes.ghosts[0]), testing::Contains("unknown-holder"));
    EXPECT_THAT(names(changes.ghosts[0]), testing::Not(testing::Contains("no-holder")));
}

TEST(TcpTracker, the_event_of_its_end_says_who_ended_it) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    static_cast<void>(stage.sweep({socket}));
    const Changes changes = stage.end(socket.cookie, TCP_LAST_ACK);
    ASSERT_THAT(changes.vanished, SizeIs(1));
    EXPECT_EQ(changes.vanished[0].reason, "its application has closed it");
    EXPECT_TRUE(stage.sweep({}).empty()) << "and it ends once";
}

TEST(TcpTracker, a_socket_that_waits_again_since_its_end_was_told_is_another_ghost) {
    Stage stage;
    auto socket = stage.socket(1);
    stage.pass(threshold);
    ASSERT_THAT(stage.sweep({socket}).ghosts, SizeIs(1));

    const auto end = stage.end_record(1, TCP_CLOSE);
    stage.pass(1s);
    socket = stage.socket(1);
    stage.pass(threshold);
    stage.observe(SightingType::sweep_begin);
    socket.header.time_ns = nanoseconds(stage.now);
    stage.observe(SightingType::seen, socket);
    stage.observe(SightingType::gone, end);
    stage.observe(SightingType::sweep_end);
    const Changes changes = stage.tracker.tick(stage.now);
    EXPECT_THAT(changes.vanished, SizeIs(1));
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    EXPECT_EQ(changes.ghosts[0].since, instant_of(socket.since_ns));
}

TEST(TcpTracker, an_idle_machine_has_no_deadline) {
    Stage stage;
    EXPECT_FALSE(stage.tracker.deadline());
    static_cast<void>(stage.sweep({}));
    EXPECT_FALSE(stage.tracker.deadline());
}

TEST(TcpTracker, who_begins_to_wait_during_a_sweep_is_looked_at_soon) {
    Stage stage;
    stage.observe(SightingType::sweep_begin);
    stage.announce();
    stage.observe(SightingType::sweep_end);
    EXPECT_EQ(stage.tracker.deadline(), stage.now + threshold / 10);
}

TEST(TcpTracker, the_first_waiting_socket_is_looked_at_soon) {
    Stage stage;
    stage.announce();
    EXPECT_EQ(stage.tracker.deadline(), stage.now + threshold / 10);
    stage.pass(1s);
    stage.announce();
    EXPECT_EQ(stage.tracker.deadline(), stage.now - 1s + threshold / 10) << "a later one does not put it off";
}

TEST(TcpTracker, what_no_process_holds_is_not_missed_by_a_sweep_that_cannot_see_it) {
    Stage stage;
    const std::array sockets{stage.socket(1), stage.socket(2)};
    stage.pass(threshold);
    stage.observe(SightingType::sweep_begin);
    for (auto socket : sockets) {
        socket.header.time_ns = nanoseconds(stage.now);
        stage.observe(SightingType::seen, socket);
    }
    stage.hold(1, {100});
    stage.observe(SightingType::sweep_end);
    ASSERT_THAT(stage.tracker.tick(stage.now).ghosts, SizeIs(2));
    for (int sweep = 0; sweep < 5; ++sweep) {
        stage.observe(SightingType::sweep_begin);
        stage.tracker.look_only_at_held();
        stage.observe(SightingType::sweep_end);
    }
    const Changes changes = stage.tracker.tick(stage.now);
    ASSERT_THAT(changes.vanished, SizeIs(1));
    EXPECT_EQ(cookie_of(changes.vanished[0].key), 1U);
}

TEST(TcpTracker, nothing_to_wait_for_when_every_state_is_left_alone) {
    Stage stage;
    stage.tracker.set_thresholds({});
    stage.announce();
    EXPECT_FALSE(stage.tracker.deadline());
}

TEST(TcpTracker, sweeps_of_a_busy_server_keep_their_distance) {
    Stage stage;
    std::vector<egb_tcp_socket> sockets;
    for (std::uint64_t cookie = 1; cookie <= 100; ++cookie) {
        sockets.push_back(stage.socket(cookie));
        stage.pass(threshold / 101);
    }
    static_cast<void>(stage.sweep(sockets));
    ASSERT_TRUE(stage.tracker.deadline());
    EXPECT_GE(*stage.tracker.deadline() - stage.now, threshold / 10);
}

TEST(TcpTracker, says_what_speaks_for_and_against) {
    Stage stage;
    auto socket = stage.socket(1);
    socket.receive_queue = 10;
    socket.send_queue = 20;
    socket.flags = EGB_TCP_SINCE_AT_LEAST | EGB_TCP_ORPHAN;
    stage.pass(threshold);
    const Changes changes = stage.sweep({socket}, {});
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    EXPECT_THAT(names(changes.ghosts[0]),
                ElementsAre("state-age", "quiet", "unread", "kernel-timer", "unsent", "older-than-us"));
    EXPECT_EQ(changes.ghosts[0].since_kind, SinceKind::at_least);
}

TEST(TcpTracker, records_of_another_size_are_not_believed) {
    Stage stage;
    stage.observe(SightingType::sweep_begin);
    const std::array<std::byte, 40> short_record{};
    stage.observe(SightingType::seen, short_record);
    stage.observe(SightingType::gone, short_record);
    stage.observe(SightingType::held, short_record);
    stage.observe(SightingType::sweep_end);
    EXPECT_EQ(stage.tracker.tracked(), 0U);
}

TEST(TcpTracker, describes_what_it_tracks_and_nothing_else) {
    Stage stage;
    auto socket = stage.socket(1);
    socket.local_port = 80;
    static_cast<void>(stage.sweep({socket}));
    EXPECT_THAT(stage.tracker.describe("1@7"),
                testing::Contains(egb::Field{"local", FieldValue{std::string{"0.0.0.0:80"}}}));
    EXPECT_THAT(stage.tracker.describe("2@7"), IsEmpty());
    EXPECT_THAT(stage.tracker.describe("nonsense"), IsEmpty());
}

/// A waiting socket on 127.0.0.1:80 whose peer is 127.0.0.1:50000.
egb_tcp_socket on_loopback(const Stage& stage) {
    auto record = stage.socket(1);
    for (auto* address : {record.local, record.remote}) {
        address[0] = 127;
        address[3] = 1;
    }
    record.local_port = 80;
    record.remote_port = 50000;
    return record;
}

egb_tcp_peer reverse_of(const egb_tcp_socket& record, std::uint8_t state, std::uint8_t flags) {
    egb_tcp_peer peer{};
    peer.header = {.type = EGB_TCP_PEER, .size = sizeof(peer), .reserved = 0, .time_ns = 0};
    std::ranges::copy(record.remote, peer.local);
    std::ranges::copy(record.local, peer.remote);
    peer.netns = record.netns;
    peer.local_port = record.remote_port;
    peer.remote_port = record.local_port;
    peer.family = record.family;
    peer.state = state;
    peer.flags = flags;
    return peer;
}

struct PeerCase {
    std::string_view name;
    std::vector<egb_tcp_peer> (*peers)(const egb_tcp_socket&);
    Grade grade;
};

class TcpTrackerPeers : public testing::TestWithParam<PeerCase> {};

TEST_P(TcpTrackerPeers, prove_or_do_not) {
    Stage stage;
    const auto socket = on_loopback(stage);
    stage.list_peers(GetParam().peers(socket));
    stage.pass(threshold);
    const Changes changes = stage.sweep({socket});
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    EXPECT_EQ(changes.ghosts[0].grade, GetParam().grade);
}

using Peers = std::vector<egb_tcp_peer>;

INSTANTIATE_TEST_SUITE_P(cases, TcpTrackerPeers,
                         testing::Values(PeerCase{"absent",
                                                  [](const egb_tcp_socket&) {
                                                      return Peers{};
                                                  },
                                                  Grade::suspected},
                                         PeerCase{"half_closed",
                                                  [](const egb_tcp_socket& socket) {
                                                      return Peers{reverse_of(socket, TCP_FIN_WAIT2, 0)};
                                                  },
                                                  Grade::suspected},
                                         PeerCase{"closed",
                                                  [](const egb_tcp_socket& socket) {
                                                      return Peers{
                                                          reverse_of(socket, TCP_FIN_WAIT2, EGB_TCP_ORPHAN)};
                                                  },
                                                  Grade::proven},
                                         PeerCase{"closed_a_while_ago",
                                                  [](const egb_tcp_socket& socket) {
                                                      return Peers{reverse_of(socket, TCP_TIME_WAIT, 0)};
                                                  },
                                                  Grade::proven},
                                         PeerCase{"v4_mapped",
                                                  [](const egb_tcp_socket& socket) {
                                                      auto peer =
                                                          reverse_of(socket, TCP_FIN_WAIT2, EGB_TCP_ORPHAN);
                                                      for (auto* address : {peer.local, peer.remote}) {
                                                          std::ranges::copy_n(address, 4, address + 12);
                                                          std::ranges::fill_n(address, 10, std::uint8_t{0});
                                                          address[10] = address[11] = 0xff;
                                                      }
                                                      peer.family = AF_INET6;
                                                      return Peers{peer};
                                                  },
                                                  Grade::proven},
                                         PeerCase{"another_ports",
                                                  [](const egb_tcp_socket& socket) {
                                                      auto other = reverse_of(socket, TCP_TIME_WAIT, 0);
                                                      other.remote_port = 8080;
                                                      return Peers{other};
                                                  },
                                                  Grade::suspected},
                                         PeerCase{"the_same_in_another_network_namespace",
                                                  [](const egb_tcp_socket& socket) {
                                                      auto other = reverse_of(socket, TCP_TIME_WAIT, 0);
                                                      ++other.netns;
                                                      return Peers{other};
                                                  },
                                                  Grade::suspected}),
                         [](const auto& instance) {
                             return std::string{instance.param.name};
                         });

TEST(TcpTracker, what_is_not_read_yet_may_have_a_slow_reader) {
    Stage stage;
    stage.tracker.set_means({.nudge = true, .destroy = true});
    auto socket = on_loopback(stage);
    socket.receive_queue = 10;
    stage.list_peers({reverse_of(socket, TCP_TIME_WAIT, 0)});
    stage.pass(threshold);
    const Changes changes = stage.sweep({socket});
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    EXPECT_EQ(changes.ghosts[0].grade, Grade::suspected);
    EXPECT_FALSE(changes.ghosts[0].askable);
}

TEST(TcpTracker, what_turned_out_otherwise_is_told_anew) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    const Changes changes = stage.sweep({socket});
    stage.tracker.look_again(changes.ghosts.at(0).key, stage.now);
    EXPECT_LE(*stage.tracker.deadline(), stage.now + 1s);
    EXPECT_THAT(stage.sweep({socket}).ghosts, SizeIs(1));
    EXPECT_TRUE(stage.sweep({socket}).empty()) << "it is told anew once";
}

/// What was refused, because it is another by now.
TEST(TcpTracker, a_ghost_that_is_to_be_told_anew_vanishes_when_it_moves) {
    Stage stage;
    auto socket = stage.socket(1);
    stage.pass(threshold);
    const Changes changes = stage.sweep({socket});
    stage.tracker.look_again(changes.ghosts.at(0).key, stage.now);
    EXPECT_TRUE(stage.tracker.is_told(1));
    socket.quiet_ns = static_cast<__u64>(stage.now.time_since_epoch().count());
    EXPECT_THAT(stage.sweep({socket}).vanished, SizeIs(1));
    EXPECT_TRUE(stage.sweep({socket}).empty());
}

TEST(TcpTracker, proof_outlasts_the_sweep_that_found_it) {
    Stage stage;
    const auto socket = on_loopback(stage);
    stage.list_peers({reverse_of(socket, TCP_TIME_WAIT, 0)});
    stage.pass(threshold);
    EXPECT_EQ(stage.sweep({socket}).ghosts.at(0).grade, Grade::proven);
    stage.list_peers({});
    EXPECT_TRUE(stage.sweep({socket}).empty());
    EXPECT_TRUE(stage.tracker.wanted_peers(stage.now).empty());
}

/// The kernel knows for a minute of a peer that has closed, and a socket may wait for longer.
TEST(TcpTracker, a_peer_is_looked_for_before_it_is_forgotten) {
    Stage stage;
    const auto socket = on_loopback(stage);
    EXPECT_TRUE(stage.sweep({socket}).empty());
    EXPECT_TRUE(stage.tracker.wanted_peers(stage.now).empty()) << "most do not wait for long";
    EXPECT_EQ(stage.tracker.deadline(), stage.now + threshold / 2);
    stage.pass(threshold / 2);
    static_cast<void>(stage.sweep({socket}));
    EXPECT_TRUE(stage.tracker.wanted_peers(stage.now).contains(socket.netns));
    EXPECT_TRUE(stage.tracker.wanted_peers(stage.now).empty()) << "once is enough";
    stage.list_peers({reverse_of(socket, TCP_FIN_WAIT2, EGB_TCP_ORPHAN)});
    EXPECT_TRUE(stage.sweep({socket}).empty());
    stage.list_peers({});
    stage.pass(threshold / 2);
    EXPECT_EQ(stage.sweep({socket}).ghosts.at(0).grade, Grade::proven);
}

TEST(TcpTracker, of_a_socket_that_moves_nothing_is_proven) {
    Stage stage;
    auto socket = on_loopback(stage);
    stage.pass(threshold / 2);
    stage.list_peers({reverse_of(socket, TCP_FIN_WAIT2, EGB_TCP_ORPHAN)});
    static_cast<void>(stage.sweep({socket}));
    stage.list_peers({});
    socket.quiet_ns = nanoseconds(stage.now);
    stage.pass(threshold);
    EXPECT_EQ(stage.sweep({socket}).ghosts.at(0).grade, Grade::suspected);
}

TEST(TcpTracker, a_peer_is_looked_for_when_its_socket_becomes_a_ghost) {
    Stage stage;
    const auto socket = on_loopback(stage);
    stage.pass(threshold - 5s);
    static_cast<void>(stage.sweep({socket}));
    EXPECT_FALSE(stage.tracker.wanted_peers(stage.now).empty());
    stage.pass(5s);
    stage.observe(SightingType::sweep_begin);
    auto met = socket;
    met.header.time_ns = nanoseconds(stage.now);
    stage.observe(SightingType::seen, met);
    EXPECT_FALSE(stage.tracker.wanted_peers(stage.now).empty());
}

TEST(TcpTracker, early_looks_for_peers_are_put_together) {
    Stage stage;
    const auto first = on_loopback(stage);
    stage.pass(5s);
    auto second = first;
    second.cookie = 2;
    second.since_ns = second.quiet_ns = nanoseconds(stage.now);
    stage.pass(threshold / 2 - 5s);
    static_cast<void>(stage.sweep({first, second}));
    EXPECT_FALSE(stage.tracker.wanted_peers(stage.now).empty());
    stage.pass(5s);
    static_cast<void>(stage.sweep({first, second}));
    EXPECT_TRUE(stage.tracker.wanted_peers(stage.now).empty());
    stage.pass(10s);
    static_cast<void>(stage.sweep({first, second}));
    EXPECT_FALSE(stage.tracker.wanted_peers(stage.now).empty());
}

TEST(TcpTracker, one_that_ends_while_it_is_asked_did_not_answer) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    static_cast<void>(stage.sweep({socket}));
    stage.tell(EGB_TCP_ASKED, 1);
    EXPECT_TRUE(stage.tracker.is_told(1));
    EXPECT_LE(*stage.tracker.deadline(), stage.now + 2s);
    const Changes changes = stage.end(1, TCP_CLOSE, EPIPE);
    ASSERT_THAT(changes.vanished, SizeIs(1));
    EXPECT_TRUE(changes.vanished[0].by_question);
}

TEST(TcpTracker, one_that_its_application_closes_while_it_is_asked_went_by_itself) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    static_cast<void>(stage.sweep({socket}));
    stage.tell(EGB_TCP_ASKED, 1);
    EXPECT_FALSE(stage.end(1, TCP_CLOSE).vanished.at(0).by_question) << "no error: it was no reset";
}

TEST(TcpTracker, an_answer_is_evidence_against_it) {
    Stage stage;
    const auto socket = stage.socket(1);
    stage.pass(threshold);
    static_cast<void>(stage.sweep({socket}));
    stage.tell(EGB_TCP_ASKED, 1);
    stage.tell(EGB_TCP_ANSWERED, 1);
    const Changes changes = stage.sweep({socket});
    ASSERT_THAT(changes.ghosts, SizeIs(1));
    EXPECT_THAT(names(changes.ghosts[0]), testing::Contains("peer-alive"));
    EXPECT_FALSE(stage.end(1, TCP_CLOSE, EPIPE).vanished.at(0).by_question);
}

TEST(TcpTracker, only_close_wait_is_ever_touched) {
    Stage stage;
    stage.tracker.set_means({.nudge = true, .destroy = true});
    const std::vector sockets{stage.socket(1), stage.socket(2, TCP_FIN_WAIT2)};
    stage.pass(2 * threshold);
    const Changes changes = stage.sweep(sockets);
    ASSERT_THAT(changes.ghosts, SizeIs(2));
    for (const Ghost& ghost : changes.ghosts) {
        const bool ours = ghost.summary.starts_with("CLOSE_WAIT");
        EXPECT_EQ(ghost.reach, ours ? Reach::cleans : Reach::reports);
        EXPECT_EQ(ghost.askable, ours);
    }
}

TEST(TcpTracker, what_has_data_on_its_way_is_not_asked) {
    Stage stage;
    stage.tracker.set_means({.nudge = true, .destroy = true});
    auto socket = stage.socket(1);
    socket.send_queue = 10;
    stage.pass(threshold);
    EXPECT_FALSE(stage.sweep({socket}).ghosts.at(0).askable);
}

} // namespace
} // namespace egb::tcp
