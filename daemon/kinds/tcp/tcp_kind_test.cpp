// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/tcp_kind.hpp"

#include "harness/fake_events.hpp"
#include "harness/fake_surroundings.hpp"
#include "host/process_lookup.hpp"
#include "kinds/tcp/tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace egb::tcp {
namespace {

using testing::SizeIs;

/// The kind in a container: its /proc is that of the machine, and shows pids that the kernel side cannot
/// list.
class TcpKindInAContainer : public testing::Test {
protected:
    TcpKindInAContainer() {
        auto events = std::make_unique<test::FakeEvents>();
        events_ = events.get();
        kind_ = std::make_unique<TcpKind>(around_.all(), std::move(events));
        OptionValues values{info().options};
        EXPECT_TRUE(values.set("CloseWaitAfter", "1min"));
        kind_->configure(values);
        EXPECT_TRUE(kind_->start());
    }

    /// A record of a socket that has waited for an hour.
    void list_socket(std::uint64_t cookie) {
        egb_tcp_socket record{};
        record.header = {.type = EGB_TCP_SOCKET,
                         .size = sizeof(record),
                         .reserved = 0,
                         .time_ns = static_cast<__u64>(around_.clock.now().time_since_epoch().count())};
        record.cookie = cookie;
        record.family = AF_INET;
        record.state = TCP_CLOSE_WAIT;
        record.flags = EGB_TCP_WATCHED;
        events_->list("egb_tcp_sweep", record);
    }

    /// The kernel's answer to who holds what: a process of the machine, as it was when it started, and its
    /// descriptors.
    void hold_sockets(std::int32_t holder, std::uint64_t start_ticks, std::vector<egb_tcp_held> sockets) {
        events_->answer("egb_tcp_holders_of", [=, this](std::span<std::byte> context) -> std::uint32_t {
            egb_tcp_holders_query query{};
            std::memcpy(&query, context.data(), sizeof(query));
            if (query.pid != holder) {
                return 0;
            }
            query.start_boottime_ns = host::ProcessLookup::boottime_of(start_ticks);
            std::memcpy(context.data(), &query, sizeof(query));
            const auto left = std::ranges::find_if(sockets, [&](const egb_tcp_held& socket) {
                return socket.fd >= query.from_fd;
            });
            const auto told = std::span{left, sockets.end()}.first(
                std::min<std::size_t>(EGB_TCP_HELD, static_cast<std::size_t>(sockets.end() - left)));
            egb_tcp_held_list list{};
            list.count = told.size();
            std::ranges::copy(told, list.held);
            EXPECT_TRUE(events_->control("egb_tcp_held", std::as_bytes(std::span{&list, 1})));
            return static_cast<std::uint32_t>(told.size());
        });
    }

    std::vector<Ghost> sweep() {
        EXPECT_TRUE(kind_->sweep(SweepReason::timer));
        const Changes changes = kind_->tracker().tick(around_.clock.now());
        return {changes.ghosts.begin(), changes.ghosts.end()};
    }

    test::FakeSurroundings around_;
    test::FakeEvents* events_{}; ///< owned by the kind
    std::unique_ptr<TcpKind> kind_;
};

TEST_F(TcpKindInAContainer, asks_each_process_for_the_sockets_that_it_holds) {
    around_.proc.add({.pid = 7, .start_ticks = 4711, .comm = "holder"});
    around_.proc.add({.pid = 8, .start_ticks = 4712, .comm = "bystander"});
    hold_sockets(7, 4711, {{.cookie = 1, .fd = 5, .reserved = 0}});
    list_socket(1);

    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(1));
    ASSERT_THAT(ghosts[0].holders, SizeIs(1));
    EXPECT_EQ(ghosts[0].holders[0].fd, 5);
    EXPECT_EQ(ghosts[0].holders[0].process->comm, "holder");
    EXPECT_EQ(ghosts[0].holders[0].process->id.start_ticks, 4711U);
}

TEST_F(TcpKindInAContainer, goes_on_asking_a_process_that_holds_more_than_one_answer_has_room_for) {
    around_.proc.add({.pid = 7, .start_ticks = 4711, .comm = "holder"});
    std::vector<egb_tcp_held> held;
    for (std::int32_t fd = 3; fd < 3 + 2 * EGB_TCP_HELD + 1; ++fd) {
        held.push_back({.cookie = static_cast<__u64>(fd), .fd = fd, .reserved = 0});
        list_socket(held.back().cookie);
    }
    hold_sockets(7, 4711, held);
    OptionValues values{info().options};
    ASSERT_TRUE(values.set("LeakAfter", "0"));
    kind_->configure(values);
    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(held.size()));
    EXPECT_TRUE(std::ranges::all_of(ghosts, [](const Ghost& ghost) {
        return ghost.holders.size() == 1;
    }));
}

TEST_F(TcpKindInAContainer, makes_nothing_of_a_holder_that_is_missing_because_the_socket_has_ended) {
    around_.proc.add({.pid = 7, .start_ticks = 4711, .comm = "holder"});
    hold_sockets(7, 4711, {{.cookie = 1, .fd = 5, .reserved = 0}});
    list_socket(1);
    ASSERT_THAT(sweep(), SizeIs(1));

    events_->answer("egb_tcp_holders_of", [this](std::span<std::byte> /*context*/) {
        events_->send(egb_tcp_end{
            .header = {.type = EGB_TCP_END,
                       .size = sizeof(egb_tcp_end),
                       .reserved = 0,
                       .time_ns = static_cast<__u64>(around_.clock.now().time_since_epoch().count())},
            .cookie = 1,
            .netns = 0,
            .next_state = TCP_CLOSE,
            .error = EPIPE});
        return 0U;
    });
    EXPECT_TRUE(kind_->sweep(SweepReason::timer));
    const Changes changes = kind_->tracker().tick(around_.clock.now());
    EXPECT_THAT(changes.ghosts, SizeIs(0));
    EXPECT_THAT(changes.vanished, SizeIs(1));
}

TEST_F(TcpKindInAContainer, does_not_take_a_process_for_the_holder_that_has_its_pid_now) {
    around_.proc.add({.pid = 7, .start_ticks = 9999, .comm = "newcomer"});
    hold_sockets(7, 4711, {{.cookie = 1, .fd = 5, .reserved = 0}});
    list_socket(1);
    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(1));
    ASSERT_THAT(ghosts[0].holders, SizeIs(1));
    EXPECT_FALSE(ghosts[0].holders[0].process->known);
}

TEST_F(TcpKindInAContainer, claims_nothing_of_holders_where_the_kernel_cannot_be_asked) {
    around_.proc.add({.pid = 7, .start_ticks = 4711, .comm = "holder"});
    events_->refuse("egb_tcp_holders_of", "no such function");
    ASSERT_TRUE(kind_->start());
    list_socket(1);
    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(1));
    EXPECT_TRUE(std::ranges::any_of(ghosts[0].evidence, [](const Evidence& evidence) {
        return evidence.rule->name == "unknown-holder";
    }));
    const auto capabilities = kind_->capabilities();
    const auto holders = std::ranges::find(capabilities, "holders", &Capability::name);
    ASSERT_NE(holders, capabilities.end());
    EXPECT_FALSE(holders->works);
    EXPECT_EQ(holders->detail, "no such function");
}

TEST_F(TcpKindInAContainer, looks_how_many_descriptors_the_owner_of_a_leak_has) {
    around_.proc.add({.pid = 7, .start_ticks = 4711, .comm = "holder"});
    around_.proc.write("7/limits",
                       "Max open files            1024                 524288               files     \n");
    around_.proc.write("7/fd/5", "");
    around_.proc.write("7/fd/6", "");
    hold_sockets(7, 4711, {{.cookie = 1, .fd = 5, .reserved = 0}});
    OptionValues values{info().options};
    ASSERT_TRUE(values.set("LeakAfter", "1"));
    kind_->configure(values);
    list_socket(1);

    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(2));
    EXPECT_EQ(ghosts[0].key, "leak:7@4711");
    EXPECT_EQ(ghosts[1].group, ghosts[0].key);
    const auto fields = kind_->tracker().describe(ghosts[0].key);
    EXPECT_THAT(fields, testing::Contains(Field{"open_files", std::uint64_t{2}}));
    EXPECT_THAT(fields, testing::Contains(Field{"file_limit", std::uint64_t{1024}}));
}

/// A process of shop.service that holds a stuck socket, and as many descriptors as it may have.
class ExhaustedUnit : public TcpKindInAContainer {
protected:
    ExhaustedUnit() {
        around_.proc.add({.pid = 7, .start_ticks = 4711, .comm = "holder"});
        around_.proc.write("7/cgroup", "0::/system.slice/shop.service\n");
        around_.proc.write(
            "7/limits", "Max open files            2                    2                    files     \n");
        around_.proc.write("7/fd/5", "");
        around_.proc.write("7/fd/6", "");
        hold_sockets(7, 4711, {{.cookie = 1, .fd = 5, .reserved = 0}});
        list_socket(1);
    }

    /// What comes of it when the summary is cleaned, after something else may have happened.
    Outcome clean_with(std::string_view leak_unit, const std::function<void()>& meanwhile = [] {}) {
        OptionValues values{info().options};
        EXPECT_TRUE(values.set("LeakAfter", "1"));
        EXPECT_TRUE(values.set("LeakUnit", leak_unit));
        EXPECT_TRUE(values.set("LeakUnitEvery", "2h"));
        kind_->configure(values);
        const auto ghosts = sweep();
        const auto leak = std::make_shared<const Ghost>(ghosts.at(0));
        const auto socket = std::make_shared<const Ghost>(ghosts.at(1));
        EXPECT_TRUE(kind_->cleaner()->confirm(*leak));
        meanwhile();
        const std::array batch{socket, leak, leak};
        const auto outcomes = kind_->cleaner()->clean(batch);
        EXPECT_EQ(outcomes.at(0).verdict, Verdict::cleaned) << "the socket's own";
        EXPECT_THAT(around_.sys.destroyed(), testing::ElementsAre(1));
        EXPECT_EQ(outcomes.at(2).verdict, Verdict::refused) << "one at a time";
        return outcomes.at(1);
    }

    [[nodiscard]] test::FakeSys::UnitRequest request(host::UnitAct act) const {
        return {.unit = "shop.service",
                .process = {.boot_id = around_.procfs.boot_id(), .pid = 7, .start_ticks = 4711},
                .every = std::chrono::hours{2},
                .act = act};
    }
};

TEST_F(ExhaustedUnit, is_restarted_when_that_is_wanted) {
    const Outcome outcome = clean_with("restart");
    EXPECT_EQ(outcome.verdict, Verdict::asked) << "what comes of it is seen later";
    EXPECT_EQ(outcome.reason, "systemd was asked to restart shop.service");
    EXPECT_THAT(around_.sys.units(), testing::ElementsAre(request(host::UnitAct::restart)));
}

TEST_F(ExhaustedUnit, is_reloaded_when_that_is_wanted) {
    EXPECT_EQ(clean_with("reload").verdict, Verdict::asked);
    EXPECT_THAT(around_.sys.units(), testing::ElementsAre(request(host::UnitAct::reload)));
}

TEST_F(ExhaustedUnit, is_left_alone_when_it_has_closed_something_meanwhile) {
    const Outcome outcome = clean_with("restart", [this] {
        std::filesystem::remove(around_.proc.root() / "7/fd/6");
    });
    EXPECT_EQ(outcome.verdict, Verdict::refused);
    EXPECT_EQ(outcome.reason, "it has closed some of its descriptors");
    EXPECT_THAT(around_.sys.units(), testing::IsEmpty());
}

TEST_F(ExhaustedUnit, is_left_alone_when_it_has_ended_meanwhile) {
    EXPECT_EQ(clean_with("restart",
                         [this] {
                             around_.proc.remove(7);
                         })
                  .verdict,
              Verdict::gone);
    EXPECT_THAT(around_.sys.units(), testing::IsEmpty());
}

TEST_F(ExhaustedUnit, that_is_refused_is_told_by_doctor) {
    around_.sys.answer(fail(ErrorCode::denied, "polkit says no"));
    OptionValues values{info().options};
    ASSERT_TRUE(values.set("LeakAfter", "1"));
    ASSERT_TRUE(values.set("LeakUnit", "restart"));
    kind_->configure(values);
    const std::array batch{std::make_shared<const Ghost>(sweep().at(0))};
    EXPECT_EQ(kind_->cleaner()->clean(batch).at(0).verdict, Verdict::refused);
    const auto capabilities = kind_->capabilities();
    const auto units = std::ranges::find(capabilities, "units", &Capability::name);
    EXPECT_FALSE(units->works);
    EXPECT_EQ(units->detail, "polkit says no");
}

TEST_F(ExhaustedUnit, is_left_alone_when_nobody_has_said_otherwise) {
    EXPECT_EQ(clean_with("no").verdict, Verdict::refused);
    EXPECT_THAT(around_.sys.units(), testing::IsEmpty());
}

/// The one that runs with every change of any socket's state.
class TheStateProgram : public TcpKindInAContainer {
protected:
    /// It has told of the first one, which lies in the ring.
    void a_socket_begins_to_wait() {
        const egb_tcp_first first{.since_last_sweep_ns = 1, .before_ns = 0, .plain_endings = 0};
        EXPECT_TRUE(events_->control("egb_tcp_first", std::as_bytes(std::span{&first, 1})));
        events_->send(
            egb_header{.type = EGB_TCP_WAITING, .size = sizeof(egb_header), .reserved = 0, .time_ns = 0});
    }

    /// As the kernel side does.
    void forget_the_first_with_each_sweep() {
        events_->answer("egb_tcp_begin_sweep", [this](std::span<std::byte> /*none*/) -> std::uint32_t {
            const egb_tcp_first none{};
            EXPECT_TRUE(events_->control("egb_tcp_first", std::as_bytes(std::span{&none, 1})));
            return 0;
        });
    }

    [[nodiscard]] bool is_away() const { return events_->is_suspended("egb_tcp_state"); }
};

TEST_F(TheStateProgram, is_away_from_the_first_that_waits_to_the_next_sweep) {
    forget_the_first_with_each_sweep();
    std::ignore = sweep();
    EXPECT_FALSE(is_away()) << "the first is still to be told";
    a_socket_begins_to_wait();
    EXPECT_TRUE(kind_->drain());
    EXPECT_TRUE(is_away());
    EXPECT_TRUE(kind_->tracker().deadline()) << "the next sweep will come";
    std::ignore = sweep();
    EXPECT_FALSE(is_away());
}

TEST_F(TheStateProgram, is_away_at_once_when_the_first_comes_during_the_sweep) {
    events_->answer("egb_tcp_begin_sweep", [this](std::span<std::byte> /*none*/) -> std::uint32_t {
        a_socket_begins_to_wait();
        return 0;
    });
    std::ignore = sweep();
    EXPECT_TRUE(is_away());
    EXPECT_TRUE(kind_->tracker().deadline());
}

TEST_F(TheStateProgram, stays_to_tell_of_the_end_of_a_ghost) {
    forget_the_first_with_each_sweep();
    list_socket(1);
    EXPECT_THAT(sweep(), SizeIs(1));
    a_socket_begins_to_wait();
    EXPECT_TRUE(kind_->drain());
    EXPECT_FALSE(is_away());
    events_->clear_list("egb_tcp_sweep");
    for (int sweeps = 0; sweeps < 3; ++sweeps) { // one may miss it by chance
        std::ignore = sweep();
    }
    a_socket_begins_to_wait();
    EXPECT_TRUE(kind_->drain());
    EXPECT_TRUE(is_away()) << "the ghost is no more";
}

TEST_F(TheStateProgram, is_away_when_no_state_interests_anybody) {
    OptionValues values{info().options};
    for (const auto* name : {"CloseWaitAfter", "FinWait2After", "LastAckAfter"}) {
        ASSERT_TRUE(values.set(name, "0"));
    }
    kind_->configure(values);
    std::ignore = sweep();
    EXPECT_TRUE(is_away());
}

/// By doctor, once; and of each ghost that nothing will be done.
TEST_F(TcpKindInAContainer, says_what_this_kernel_does_not_let_it_do) {
    around_.sys.lack("no such program");
    ASSERT_TRUE(kind_->start());
    for (const std::string_view act : {"nudge", "destroy"}) {
        const auto capabilities = kind_->capabilities();
        const auto found = std::ranges::find(capabilities, act, &Capability::name);
        ASSERT_NE(found, capabilities.end());
        EXPECT_FALSE(found->works);
        EXPECT_EQ(found->detail, "no such program");
    }
    list_socket(1);
    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(1));
    EXPECT_EQ(ghosts[0].reach, Reach::reports);
    EXPECT_FALSE(ghosts[0].askable);
}

TEST_F(TcpKindInAContainer, says_which_way_it_looks) {
    const auto capabilities = kind_->capabilities();
    const auto holders = std::ranges::find(capabilities, "holders", &Capability::name);
    ASSERT_NE(holders, capabilities.end());
    EXPECT_TRUE(holders->works);
    EXPECT_THAT(holders->detail, testing::HasSubstr("each process"));
}

} // namespace
} // namespace egb::tcp
