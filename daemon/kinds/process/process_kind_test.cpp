// SPDX-License-Identifier: Apache-2.0
#include "kinds/process/process_kind.hpp"

#include "core/format.hpp"
#include "harness/fake_surroundings.hpp"
#include "kinds/process/evidence.hpp"
#include "kinds/process/process.hpp"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace egb::process {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int32_t parent = 100;
constexpr std::int32_t first_child = 1000;

/// A parent, 100, whose children are 1000 and those after.
class ProcessKindTest : public testing::Test {
protected:
    ProcessKindTest() {
        around_.proc.write("loadavg", "0.20 0.18 0.12 1/500 11206\n");
        around_.proc.write("sys/kernel/pid_max", "4194304\n");
        around_.proc.write("sys/kernel/threads-max", "4194304\n");
        around_.proc.write("self/status", "NSpid:\t" + std::to_string(::getpid()) + "\n");
        add_parent({});
        configure({});
        EXPECT_TRUE(kind_.start());
    }

    void configure(std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
        for (const auto& [name, value] : values) {
            EXPECT_TRUE(options_.set(name, value)) << name;
        }
        kind_.configure(options_);
    }

    void add_parent(test::FakeProcess traits) const {
        traits.pid = parent;
        traits.comm = "forgetful";
        around_.proc.add(traits);
    }

    [[nodiscard]] ProcessIdentity child(std::int32_t number) const {
        return {.boot_id = around_.procfs.boot_id(), .pid = first_child + number, .start_ticks = 500};
    }

    void die(std::int32_t number, int wait_status = 0, test::FakeProcess traits = {}) {
        const auto id = child(number);
        traits.pid = id.pid;
        traits.start_ticks = id.start_ticks;
        traits.comm = "child";
        traits.state = 'Z';
        traits.parent = parent;
        around_.proc.add(traits);
        around_.lineage.die(id, {.at = around_.clock.now(), .wait_status = wait_status});
    }

    void reap(std::int32_t number) {
        around_.proc.remove(child(number).pid);
        around_.lineage.reap(child(number));
    }

    Changes sweep_after(Span span) {
        around_.clock.advance(span);
        EXPECT_TRUE(kind_.sweep(SweepReason::timer));
        return kind_.tracker().tick(around_.clock.now());
    }

    /// The one ghost that there must be.
    Ghost ghost_after(Span span) {
        auto changes = sweep_after(span);
        EXPECT_THAT(changes.ghosts, SizeIs(1));
        return changes.ghosts.empty() ? Ghost{} : std::move(changes.ghosts.front());
    }

    Outcome ask(const Ghost& ghost) {
        return kind_.cleaner()->ask(std::array<GhostPtr, 1>{std::make_shared<const Ghost>(ghost)}).at(0);
    }
    Outcome clean(const Ghost& ghost) {
        return kind_.cleaner()->clean(std::array<GhostPtr, 1>{std::make_shared<const Ghost>(ghost)}).at(0);
    }

    static bool has(const Ghost& ghost, const EvidenceRule& rule) {
        return std::ranges::contains(ghost.evidence, &rule, &Evidence::rule);
    }

    test::FakeSurroundings around_;
    OptionValues options_{info().options};
    ProcessKind kind_{around_.all()};
};

TEST_F(ProcessKindTest, a_child_that_has_just_died_is_no_ghost) {
    die(0);
    EXPECT_THAT(sweep_after(59s).ghosts, IsEmpty());
    EXPECT_EQ(kind_.tracker().tracked(), 1U);
}

TEST_F(ProcessKindTest, a_death_is_a_reason_to_look_when_it_is_due) {
    EXPECT_EQ(kind_.tracker().deadline(), std::nullopt) << "nothing to wait for";
    die(0);
    EXPECT_EQ(kind_.tracker().deadline(), around_.clock.now() + 1min);
    reap(0);
    EXPECT_THAT(sweep_after(1min).ghosts, IsEmpty());
    EXPECT_EQ(kind_.tracker().deadline(), std::nullopt);
}

TEST_F(ProcessKindTest, all_children_of_one_parent_are_one_ghost) {
    die(0, 3 << 8);
    die(1, SIGSEGV | 0x80);
    const Ghost ghost = ghost_after(1min);
    EXPECT_EQ(ghost.summary, "forgetful (pid 100) of fake.service does not wait for its children: 2 zombies");
    EXPECT_EQ(ghost.grade, Grade::suspected);
    EXPECT_TRUE(ghost.askable);
    EXPECT_EQ(ghost.holders.at(0).process->id.pid, parent);
    EXPECT_TRUE(has(ghost, may_wait_later));
    const auto fields = kind_.tracker().describe(ghost.key);
    EXPECT_EQ(*field_as<std::string>(fields, "dead"),
              "1000 child, exited with 3; 1001 child, killed by SIGSEGV (core dumped)");
}

TEST_F(ProcessKindTest, what_proc_does_not_call_a_zombie_is_none) {
    die(0);
    around_.proc.add({.pid = child(0).pid, .start_ticks = 500, .state = 'S', .parent = parent});
    EXPECT_THAT(sweep_after(1min).ghosts, IsEmpty());
    around_.proc.add({.pid = child(0).pid, .start_ticks = 501, .state = 'Z', .parent = parent});
    EXPECT_THAT(sweep_after(10s).ghosts, IsEmpty()) << "another process has its pid";
}

TEST_F(ProcessKindTest, a_parent_that_missed_a_signal_is_told_again) {
    die(0);
    const Ghost ghost = ghost_after(1min);
    EXPECT_EQ(ask(ghost).verdict, Verdict::asked);
    EXPECT_THAT(around_.sys.signals(), ElementsAre(test::FakeSys::Signal{
                                           .process = ghost.holders.at(0).process->id, .signal = SIGCHLD}));
    reap(0);
    const auto changes = sweep_after(5s);
    ASSERT_THAT(changes.vanished, SizeIs(1));
    EXPECT_TRUE(changes.vanished.front().by_question);
}

TEST_F(ProcessKindTest, a_parent_that_does_not_wait_even_then_is_proven_not_to) {
    die(0);
    static_cast<void>(ask(ghost_after(1min)));
    EXPECT_EQ(kind_.tracker().deadline(), around_.clock.now() + 5s);
    EXPECT_THAT(sweep_after(4s).ghosts, IsEmpty()) << "it may need a moment";
    const Ghost ghost = ghost_after(1s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    EXPECT_EQ(ghost.reach, Reach::reports) << "a zombie cannot be killed";
    EXPECT_FALSE(ghost.askable);
    EXPECT_TRUE(has(ghost, told_again));
    EXPECT_FALSE(has(ghost, may_wait_later));
}

TEST_F(ProcessKindTest, a_parent_that_has_waited_for_one_of_them_since_is_only_slow) {
    die(0);
    die(1);
    static_cast<void>(ask(ghost_after(1min)));
    reap(0);
    const Ghost ghost = ghost_after(5s);
    EXPECT_EQ(ghost.grade, Grade::suspected);
    EXPECT_TRUE(ghost.askable);
}

TEST_F(ProcessKindTest, a_parent_that_was_stopped_has_not_listened) {
    die(0);
    static_cast<void>(ask(ghost_after(1min)));
    add_parent({.state = 'T'});
    static_cast<void>(sweep_after(5s));
    add_parent({});
    EXPECT_EQ(ghost_after(10s).grade, Grade::suspected) << "it goes on only now";
}

TEST_F(ProcessKindTest, a_parent_that_ends_has_not_waited) {
    die(0);
    static_cast<void>(ask(ghost_after(1min)));
    around_.proc.remove(parent);
    reap(0);
    const auto changes = sweep_after(5s);
    ASSERT_THAT(changes.vanished, SizeIs(1));
    EXPECT_FALSE(changes.vanished.front().by_question);
    EXPECT_THAT(changes.vanished.front().reason, HasSubstr("has ended"));
}

TEST_F(ProcessKindTest, nobody_can_wait_while_a_thread_hangs_on_its_way_out) {
    die(0, 0, {.threads = 2});
    EXPECT_THAT(sweep_after(1min).ghosts, IsEmpty());
}

TEST_F(ProcessKindTest, children_that_are_waited_for_in_time_vanish_by_themselves) {
    die(0);
    static_cast<void>(ghost_after(1min));
    reap(0);
    const auto changes = sweep_after(10s);
    ASSERT_THAT(changes.vanished, SizeIs(1));
    EXPECT_FALSE(changes.vanished.front().by_question);
    EXPECT_EQ(kind_.tracker().deadline(), std::nullopt);
}

TEST_F(ProcessKindTest, a_stopped_parent_cannot_wait) {
    add_parent({.state = 'T'});
    die(0);
    const Ghost ghost = ghost_after(1min);
    EXPECT_TRUE(has(ghost, stopped));
    EXPECT_FALSE(ghost.askable);
    EXPECT_EQ(ghost.grade, Grade::suspected);
}

TEST_F(ProcessKindTest, the_tracer_of_a_child_waits_first) {
    die(0, 0, {.tracer = 77});
    const Ghost ghost = ghost_after(1min);
    EXPECT_TRUE(has(ghost, traced));
    EXPECT_FALSE(ghost.askable);
}

TEST_F(ProcessKindTest, a_container_without_an_init_is_called_that) {
    add_parent({.inner_pids = "\t1"});
    die(0);
    EXPECT_TRUE(has(ghost_after(1min), container_init));
}

TEST_F(ProcessKindTest, who_was_dead_before_us_may_be_so_for_longer) {
    die(0);
    reap(0);
    around_.proc.add({.pid = child(0).pid, .start_ticks = 500, .state = 'Z', .parent = parent});
    around_.lineage.die(child(0), {.at = around_.clock.now(), .wait_status = 0, .seen = false});
    const Ghost ghost = ghost_after(1min);
    EXPECT_EQ(ghost.since_kind, SinceKind::at_least);
    EXPECT_TRUE(has(ghost, dead_before));
}

TEST_F(ProcessKindTest, who_inherits_the_dead_has_time_to_hear_of_them) {
    die(0);
    reap(0);
    around_.proc.add({.pid = child(0).pid, .start_ticks = 500, .state = 'Z', .parent = parent});
    around_.lineage.die(child(0), {.at = around_.clock.now(), .wait_status = 0},
                        ProcessIdentity{.boot_id = around_.procfs.boot_id(), .pid = 50, .start_ticks = 1});
    EXPECT_THAT(sweep_after(5min).ghosts, IsEmpty()) << "it may have got it a moment ago";
    EXPECT_EQ(kind_.tracker().deadline(), around_.clock.now() + 1min);
    EXPECT_THAT(sweep_after(59s).ghosts, IsEmpty());
    EXPECT_EQ(ghost_after(1s).holders.at(0).process->id.pid, parent);
}

TEST_F(ProcessKindTest, nobody_is_told_again_when_that_is_not_wanted) {
    configure({{"Nudge", "no"}});
    die(0);
    const Ghost ghost = ghost_after(1min);
    EXPECT_FALSE(ghost.askable);
    EXPECT_EQ(ghost.reach, Reach::reports);
}

TEST_F(ProcessKindTest, what_was_waited_for_meanwhile_is_not_acted_upon) {
    die(0);
    const Ghost ghost = ghost_after(1min);
    EXPECT_TRUE(kind_.cleaner()->confirm(ghost));
    reap(0);
    EXPECT_EQ(kind_.cleaner()->confirm(ghost).error().code, ErrorCode::not_found);
}

TEST_F(ProcessKindTest, another_parent_with_the_same_pid_is_not_told) {
    die(0);
    const Ghost ghost = ghost_after(1min);
    add_parent({.start_ticks = 101});
    EXPECT_EQ(kind_.cleaner()->confirm(ghost).error().code, ErrorCode::not_found);
}

TEST_F(ProcessKindTest, does_not_start_without_a_lineage) {
    around_.lineage.set_lack("no BPF here");
    ProcessKind deaf{around_.all()};
    const auto started = deaf.start();
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message, HasSubstr("no BPF here"));
}

/// A parent that uses up the pids there are.
class GrowingZombies : public ProcessKindTest {
protected:
    GrowingZombies() { configure({{"ParentUnit", "restart"}, {"ParentUnitEvery", "1h"}}); }

    /// Grows by as many as there are seconds, to what is left of the limit.
    std::optional<Ghost> grow(std::uint64_t limit, std::uint64_t used = 500) {
        around_.proc.write("sys/kernel/pid_max", std::to_string(limit) + "\n");
        around_.proc.write("loadavg", formatted("0.20 0.18 0.12 1/{} 11206\n", used));
        die(0);
        static_cast<void>(ask(ghost_after(1min)));
        std::optional<Ghost> last;
        for (std::int32_t round = 1; round < 75; ++round) {
            for (std::int32_t more = 0; more < 10; ++more) {
                die(round * 10 + more);
            }
            auto changes = sweep_after(10s);
            if (!changes.ghosts.empty()) {
                last = std::move(changes.ghosts.back());
            }
        }
        return last;
    }
};

TEST_F(GrowingZombies, tell_how_fast_and_until_when) {
    const auto ghost = grow(4'194'304);
    ASSERT_TRUE(ghost);
    EXPECT_THAT(ghost->summary, HasSubstr("60 more each minute"));
    EXPECT_TRUE(has(*ghost, growth));
    EXPECT_EQ(ghost->reach, Reach::reports) << "there is room for weeks";
}

TEST_F(GrowingZombies, end_with_a_restart_of_their_parents_unit) {
    const auto ghost = grow(700);
    ASSERT_TRUE(ghost);
    EXPECT_THAT(ghost->summary, HasSubstr("no room for more in"));
    EXPECT_EQ(ghost->grade, Grade::proven);
    ASSERT_EQ(ghost->reach, Reach::cleans);
    EXPECT_EQ(clean(*ghost).verdict, Verdict::asked);
    EXPECT_THAT(around_.sys.units(),
                ElementsAre(test::FakeSys::UnitRequest{.unit = "fake.service",
                                                       .process = ghost->holders.at(0).process->id,
                                                       .every = 1h,
                                                       .act = host::UnitAct::restart}));
}

TEST_F(GrowingZombies, are_not_to_blame_for_what_others_use_up) {
    const auto ghost = grow(20'000, 19'900);
    ASSERT_TRUE(ghost);
    EXPECT_THAT(ghost->summary, HasSubstr("no room for more in"));
    EXPECT_EQ(ghost->reach, Reach::reports);
}

TEST_F(GrowingZombies, leave_the_unit_alone_unless_that_is_wanted) {
    configure({{"ParentUnit", "no"}});
    const auto ghost = grow(700);
    ASSERT_TRUE(ghost);
    EXPECT_EQ(ghost->reach, Reach::reports);
}

} // namespace
} // namespace egb::process
