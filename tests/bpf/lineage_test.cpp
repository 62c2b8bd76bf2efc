// SPDX-License-Identifier: Apache-2.0
// Who forked whom, and who died how, on the real kernel.
#include "harness/fake_fd_store.hpp"

#include "core/format.hpp"
#include "host/bpf_lineage.hpp"
#include "host/fd.hpp"
#include "host/monotonic_clock.hpp"
#include "host/procfs.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

namespace egb::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t room = 16'384;

bool first_thread_has_ended(pid_t pid) {
    std::ifstream file{formatted("/proc/{}/stat", pid)};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    return text.contains(") Z ");
}

/// A line of processes, each the child of the one before: any of them can be told to end.
class Line {
public:
    /// `before` runs in the first of them.
    explicit Line(std::size_t length, const std::function<void()>& before = {}) {
        std::array<int, 2> out{};
        std::array<int, 2> alive{};
        EXPECT_EQ(::pipe(out.data()), 0);
        EXPECT_EQ(::pipe(alive.data()), 0);
        const pid_t first = ::fork();
        if (first == 0) {
            ::close(alive[1]); // ours is the only one: when we are gone, all of them go
            if (before) {
                before();
            }
            run(length, out[1], alive[0]);
        }
        ::close(out[1]);
        ::close(alive[0]);
        alive_ = Fd{alive[1]};
        const Fd told{out[0]};
        for (std::size_t at = 0; at < length; ++at) {
            pid_t pid = 0;
            EXPECT_EQ(::read(told.get(), &pid, sizeof(pid)), static_cast<ssize_t>(sizeof(pid)));
            pids_.push_back(pid);
            identities_.push_back(ProcFs{"/proc"}.identity(pid).value());
        }
    }
    ~Line() {
        alive_.reset();
        if (!reaped_) {
            ::waitpid(pids_.front(), nullptr, 0);
        }
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    [[nodiscard]] const ProcessIdentity& operator[](std::size_t at) const { return identities_[at]; }

    /// Waits for it when it is ours to wait for.
    void kill(std::size_t at, int signal = SIGKILL) {
        ::kill(pids_[at], signal);
        if (at == 0) {
            ::waitpid(pids_[0], nullptr, 0);
            reaped_ = true;
        }
    }

    /// Kills it and leaves it as it is.
    void leave_dead() {
        ::kill(pids_.front(), SIGKILL);
        siginfo_t told{};
        ::waitid(P_PID, static_cast<id_t>(pids_.front()), &told, WEXITED | WNOWAIT);
    }

private:
    [[noreturn]] static void run(std::size_t left, int out, int alive) {
        const pid_t self = ::getpid();
        [[maybe_unused]] const auto told = ::write(out, &self, sizeof(self));
        if (left > 1 && ::fork() == 0) {
            run(left - 1, out, alive);
        }
        ::close(out);
        pollfd end{.fd = alive, .events = POLLIN, .revents = 0};
        while (::poll(&end, 1, -1) != 1) {
        }
        ::_exit(0);
    }

    Fd alive_;
    std::vector<pid_t> pids_;
    std::vector<ProcessIdentity> identities_;
    bool reaped_{};
};

class LineageTest : public testing::Test {
protected:
    LineageTest() { start(lineage_); }

    static void start(BpfLineage& lineage) {
        const auto started = lineage.start();
        ASSERT_TRUE(started) << started.error().message;
    }

    [[nodiscard]] Death death_of(const ProcessIdentity& process) {
        for (const Instant end = clock_.now() + 3s; clock_.now() < end; ::poll(nullptr, 0, 5)) {
            if (const auto death = lineage_.death_of(process).value(); death) {
                return *death;
            }
        }
        ADD_FAILURE() << "it does not die";
        return {};
    }

    /// A child that ends by `how`, and has been waited for.
    [[nodiscard]] Death death_by(const std::function<void()>& how) {
        std::array<int, 2> gate{};
        EXPECT_EQ(::pipe(gate.data()), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            char told{};
            [[maybe_unused]] const auto go = ::read(gate[0], &told, 1);
            how();
            ::_exit(0);
        }
        const auto identity = procfs_.identity(child).value();
        EXPECT_EQ(::write(gate[1], "", 1), 1);
        ::waitpid(child, nullptr, 0);
        ::close(gate[0]);
        ::close(gate[1]);
        return death_of(identity);
    }

    [[nodiscard]] bool is_unreaped(const ProcessIdentity& process) {
        const auto all = lineage_.unreaped().value();
        return std::ranges::contains(all, process, &Unreaped::process);
    }

    MonotonicClock clock_;
    ProcFs procfs_{"/proc"};
    test::FakeFdStore store_;
    BpfLineage lineage_{clock_, procfs_, lineage_events(store_, room)};
};

TEST_F(LineageTest, knows_all_descendants) {
    const Instant before = clock_.now();
    const Line line{3};
    EXPECT_THAT(lineage_.heirs(line[0], before).value(),
                testing::UnorderedElementsAre(line[0], line[1], line[2]));
    EXPECT_THAT(lineage_.heirs(line[2], before).value(), ElementsAre(line[2]));
}

TEST_F(LineageTest, the_dead_in_between_are_not_forgotten) {
    const Instant before = clock_.now();
    Line line{3};
    line.kill(1);
    line.kill(0);
    EXPECT_EQ(death_of(line[1]).signal(), SIGKILL);
    EXPECT_THAT(lineage_.heirs(line[0], before).value(), ElementsAre(line[2]));
    line.kill(2);
    EXPECT_EQ(death_of(line[2]).signal(), SIGKILL);
    EXPECT_THAT(lineage_.heirs(line[0], before).value(), IsEmpty()) << "all of them are dead, for certain";
}

TEST_F(LineageTest, who_was_forked_before_is_no_heir) {
    Line line{2};
    const Instant after = clock_.now();
    EXPECT_THAT(lineage_.heirs(line[0], after).value(), ElementsAre(line[0]));
    line.kill(0);
    EXPECT_THAT(lineage_.heirs(line[0], after).value(), IsEmpty());
}

TEST_F(LineageTest, says_so_when_it_was_not_looking_then) {
    const Line line{1};
    const auto answer = lineage_.heirs(line[0], instant_of(1));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::lost);
}

TEST_F(LineageTest, nobody_of_an_earlier_boot_lives) {
    const ProcessIdentity old{.boot_id = "another", .pid = ::getpid(), .start_ticks = 1};
    EXPECT_THAT(lineage_.heirs(old, clock_.now()).value(), IsEmpty());
}

TEST_F(LineageTest, knows_who_was_there_before) {
    Line line{2};
    test::FakeFdStore store;
    BpfLineage later{clock_, procfs_, lineage_events(store, room)};
    start(later);
    EXPECT_THAT(later.heirs(line[0], clock_.now()).value(), ElementsAre(line[0]));
    line.kill(0);
    EXPECT_THAT(later.heirs(line[0], clock_.now()).value(), IsEmpty());
    EXPECT_EQ(later.death_of(line[0]).value()->signal(), SIGKILL);
}

TEST_F(LineageTest, tells_how_somebody_died) {
    EXPECT_EQ(to_string(death_by([] {
                  ::_exit(3);
              })),
              "exited with 3");
    EXPECT_EQ(to_string(death_by([] {
                  ::raise(SIGTERM);
              })),
              "killed by SIGTERM");
    const Death crashed = death_by([] {
        ::prctl(PR_SET_DUMPABLE, 0); // no core file is left behind
        ::signal(SIGSEGV, SIG_DFL);
        ::raise(SIGSEGV);
    });
    EXPECT_EQ(crashed.signal(), SIGSEGV);
    EXPECT_FALSE(crashed.dumped_core());
}

TEST_F(LineageTest, a_thread_is_no_process) {
    const Instant before = clock_.now();
    const Line line{1, [] {
                        std::thread{[] {}}.join();
                    }};
    EXPECT_THAT(lineage_.heirs(line[0], before).value(), ElementsAre(line[0]));
    EXPECT_EQ(lineage_.death_of(line[0]).value(), std::nullopt);
    EXPECT_FALSE(is_unreaped(line[0]));
}

TEST_F(LineageTest, a_process_outlives_its_first_thread) {
    std::array<int, 2> gate{};
    ASSERT_EQ(::pipe(gate.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        std::thread{[&] {
            char told{};
            [[maybe_unused]] const auto go = ::read(gate[0], &told, 1);
            ::_exit(7);
        }}.detach();
        ::syscall(SYS_exit, 0); // this thread alone
    }
    const auto identity = procfs_.identity(child).value();
    while (::waitid(P_PID, static_cast<id_t>(child), nullptr, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           !first_thread_has_ended(child)) {
        ::poll(nullptr, 0, 5);
    }
    EXPECT_FALSE(is_unreaped(identity)) << "though /proc calls it a zombie";
    EXPECT_EQ(::write(gate[1], "", 1), 1);
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(to_string(death_of(identity)), "exited with 7");
    ::close(gate[0]);
    ::close(gate[1]);
}

TEST_F(LineageTest, what_finds_no_room_is_counted_and_put_right) {
    test::FakeFdStore store;
    const auto there = static_cast<std::uint32_t>(procfs_.pids().size());
    BpfLineage small{clock_, procfs_, lineage_events(store, there + 200)};
    start(small);
    const Instant before = clock_.now();
    {
        const Line many{260};
        EXPECT_TRUE(small.incomplete());
        EXPECT_GT(small.lost(), 0U);
        const auto answer = small.heirs(many[0], before);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::lost) << "it never guesses";
    }
    for (const Instant end = clock_.now() + 20s; clock_.now() < end && small.incomplete();
         ::poll(nullptr, 0, 10)) {
        ASSERT_TRUE(small.reconcile()); // there is room once all of them are gone
    }
    EXPECT_FALSE(small.incomplete());
    const Instant afterwards = clock_.now();
    const Line few{2};
    EXPECT_THAT(small.heirs(few[0], afterwards).value(), testing::UnorderedElementsAre(few[0], few[1]));
    EXPECT_EQ(small.heirs(few[0], before).error().code, ErrorCode::lost) << "what was missed stays missed";
}

TEST_F(LineageTest, does_not_trust_what_was_said_of_a_map_of_another_size) {
    const Line line{2};
    const Instant before_restart = clock_.now();
    BpfLineage successor{clock_, procfs_, lineage_events(store_, 2 * room)};
    start(successor);
    EXPECT_EQ(successor.heirs(line[0], before_restart).error().code, ErrorCode::lost);
    EXPECT_THAT(successor.heirs(line[0], clock_.now()).value(), ElementsAre(line[0]));
}

/// Each is waited for at once, and leaves a grandchild behind that ends by itself.
TEST_F(LineageTest, a_storm_leaves_nothing_behind) {
    const Instant before = clock_.now();
    const auto ours = procfs_.identity(::getpid()).value();
    for (int round = 0; round < 2000; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            if (::fork() == 0) {
                ::_exit(0);
            }
            ::_exit(1);
        }
        ::waitpid(child, nullptr, 0);
    }
    EXPECT_EQ(lineage_.lost(), 0U);
    for (const Instant end = clock_.now() + 5s; clock_.now() < end; ::poll(nullptr, 0, 10)) {
        if (lineage_.heirs(ours, before).value().size() == 1) {
            break;
        }
    }
    EXPECT_THAT(lineage_.heirs(ours, before).value(), ElementsAre(ours));
    bool tidy = false;
    for (const Instant end = clock_.now() + 20s; clock_.now() < end && !tidy; ::poll(nullptr, 0, 10)) {
        tidy = lineage_.unreaped() && lineage_.known() < procfs_.pids().size() + 100;
    }
    EXPECT_TRUE(tidy) << "the map must not fill up with the dead: " << lineage_.known();
}

TEST_F(LineageTest, knows_the_dead_that_nobody_waits_for) {
    Line line{1};
    line.leave_dead();
    EXPECT_EQ(death_of(line[0]).signal(), SIGKILL);
    EXPECT_TRUE(is_unreaped(line[0]));
    line.kill(0);
    for (const Instant end = clock_.now() + 3s; clock_.now() < end && is_unreaped(line[0]);) {
        ::poll(nullptr, 0, 5);
    }
    EXPECT_FALSE(is_unreaped(line[0]));
}

TEST_F(LineageTest, tells_of_a_death_once_until_it_is_asked) {
    int told = 0;
    lineage_.listen([&] {
        ++told;
    });
    ASSERT_TRUE(lineage_.unreaped());
    ASSERT_TRUE(lineage_.drain());
    told = 0;
    ASSERT_TRUE(lineage_.unreaped());
    static_cast<void>(death_by([] {}));
    static_cast<void>(death_by([] {}));
    ASSERT_TRUE(lineage_.drain());
    EXPECT_EQ(told, 1);
}

TEST_F(LineageTest, what_it_knows_outlives_it) {
    const Instant before = clock_.now();
    Line line{3};
    line.kill(1);
    EXPECT_EQ(death_of(line[1]).signal(), SIGKILL);
    BpfLineage successor{clock_, procfs_, lineage_events(store_, room)};
    start(successor);
    EXPECT_THAT(successor.heirs(line[0], before).value(), testing::UnorderedElementsAre(line[0], line[2]));
    line.kill(0);
    EXPECT_THAT(successor.heirs(line[0], before).value(), ElementsAre(line[2])) << "counted once";
    line.kill(2);
    EXPECT_EQ(death_of(line[2]).signal(), SIGKILL);
    EXPECT_THAT(successor.heirs(line[0], before).value(), IsEmpty());
}

} // namespace
} // namespace egb::host
