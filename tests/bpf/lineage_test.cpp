// SPDX-License-Identifier: Apache-2.0
// Who forked whom, and who died how, on the real kernel.
#include "harness/fake_fd_store.hpp"

#include "core/format.hpp"
#include "host/bpf_lineage.hpp"
#include "host/fd.hpp"
#include "host/monotonic_clock.hpp"
#include "host/procfs.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <span>
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

/// A process that does as it is told, and leaves others behind that live until this goes.
class Brood {
public:
    using Begetter = std::function<void(const std::function<void()>& live)>;

    /// `beget` runs in the first process, and has `live` run in each of the others, `count` in all.
    Brood(std::size_t count, const Begetter& beget) {
        std::array<int, 2> out{};
        std::array<int, 2> alive{};
        EXPECT_EQ(::pipe(out.data()), 0);
        EXPECT_EQ(::pipe(alive.data()), 0);
        const pid_t first = ::fork();
        if (first == 0) {
            ::close(alive[1]);
            const auto live = [&] {
                tell_and_wait(out[1], alive[0]);
            };
            beget(live);
            live();
        }
        ::close(out[1]);
        ::close(alive[0]);
        alive_ = Fd{alive[1]};
        const Fd told{out[0]};
        for (std::size_t at = 0; at <= count; ++at) {
            pid_t pid = 0;
            EXPECT_EQ(::read(told.get(), &pid, sizeof(pid)), static_cast<ssize_t>(sizeof(pid)));
            const auto identity = ProcFs{"/proc"}.identity(pid).value();
            if (pid == first) {
                parent_ = identity;
            } else {
                children_.push_back(identity);
            }
        }
    }
    ~Brood() {
        alive_.reset();
        ::waitpid(parent_.pid, nullptr, 0);
    }
    Brood(const Brood&) = delete;
    Brood& operator=(const Brood&) = delete;

    [[nodiscard]] const ProcessIdentity& parent() const { return parent_; }
    [[nodiscard]] const std::vector<ProcessIdentity>& children() const { return children_; }

    void kill_parent() const {
        ::kill(parent_.pid, SIGKILL);
        ::waitpid(parent_.pid, nullptr, 0);
    }

    static void fork_one(const std::function<void()>& live) {
        if (::fork() == 0) {
            live();
        }
    }

private:
    [[noreturn]] static void tell_and_wait(int out, int alive) {
        const pid_t self = ::getpid();
        [[maybe_unused]] const auto told = ::write(out, &self, sizeof(self));
        pollfd end{.fd = alive, .events = POLLIN, .revents = 0};
        while (::poll(&end, 1, -1) != 1) {
        }
        ::_exit(0);
    }

    Fd alive_;
    ProcessIdentity parent_;
    std::vector<ProcessIdentity> children_;
};

/// Each child by a thread of its own, which then waits for the end of all.
void fork_in_threads_that_stay(std::size_t count, const std::function<void()>& live) {
    for (std::size_t at = 0; at < count; ++at) {
        std::thread{[live] {
            Brood::fork_one(live);
            ::pause();
        }}.detach();
    }
}

/// Each child by a thread of its own, which then ends.
void fork_in_threads_that_end(std::size_t count, const std::function<void()>& live) {
    for (std::size_t at = 0; at < count; ++at) {
        std::thread{[&] {
            Brood::fork_one(live);
        }}.join();
    }
}

/// From one process to the next, each the child of the one before, which ends.
[[noreturn]] void hop_until(Instant end) {
    const MonotonicClock clock;
    while (clock.now() < end) {
        if (::fork() != 0) {
            ::_exit(0);
        }
    }
    ::_exit(0);
}

/// A child of our parent.
void fork_a_sibling(const std::function<void()>& live) {
    if (::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr) == 0) {
        live();
    }
}

class LineageTest : public testing::Test {
protected:
    LineageTest() { start(lineage_); }

    static void start(BpfLineage& lineage) {
        const auto started = lineage.start();
        ASSERT_TRUE(started) << started.error().message;
        // Who is younger than this is told by start times, which are of hundredths of a second.
        const MonotonicClock clock;
        for (const Instant tick = clock.now() + 20ms; clock.now() < tick;) {
            ::poll(nullptr, 0, 1);
        }
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

TEST_F(LineageTest, tells_of_the_dead_that_one_who_has_outlived_them_has_ended_by_itself) {
    Line line{3};
    line.kill(0);
    line.kill(1);
    EXPECT_FALSE(death_of(line[1]).was_left);
    line.kill(2, SIGPIPE);
    EXPECT_TRUE(death_of(line[2]).by_itself());
    EXPECT_TRUE(death_of(line[1]).was_left);
    EXPECT_TRUE(death_of(line[0]).was_left);
}

TEST_F(LineageTest, who_is_killed_or_ends_before_the_others_leaves_nothing_of_theirs) {
    Line killed{3};
    killed.kill(0);
    killed.kill(1);
    killed.kill(2);
    EXPECT_FALSE(death_of(killed[2]).by_itself());
    EXPECT_FALSE(death_of(killed[0]).was_left);
    Line outlived{3};
    outlived.kill(2, SIGPIPE);
    EXPECT_TRUE(death_of(outlived[2]).by_itself());
    outlived.kill(1);
    outlived.kill(0);
    EXPECT_FALSE(death_of(outlived[1]).was_left);
    EXPECT_FALSE(death_of(outlived[0]).was_left);
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

/// A process with one heir, which goes on as another program: by its first thread, or by another, to which
/// the kernel gives the pid and the start time of the first.
class Changeling {
public:
    explicit Changeling(bool by_another_thread) {
        std::array<int, 2> out{};
        EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            const pid_t heir = ::fork();
            if (heir == 0) {
                become_another();
            }
            [[maybe_unused]] const auto told = ::write(out[1], &heir, sizeof(heir));
            if (by_another_thread) {
                std::thread{become_another}.join();
            }
            become_another();
        }
        ::close(out[1]);
        const Fd told{out[0]};
        EXPECT_EQ(::read(told.get(), &heir_, sizeof(heir_)), static_cast<ssize_t>(sizeof(heir_)));
        before_ = ProcFs{"/proc"}.identity(pid_).value();
        char byte = 0;
        EXPECT_EQ(::read(told.get(), &byte, 1), 0) << "the new program has not got it";
    }
    ~Changeling() { ::kill(heir_, SIGKILL); }
    Changeling(const Changeling&) = delete;
    Changeling& operator=(const Changeling&) = delete;

    /// As it was while it still ran the first program, or soon after.
    [[nodiscard]] const ProcessIdentity& before() const { return before_; }
    [[nodiscard]] ProcessIdentity heir() const { return ProcFs{"/proc"}.identity(heir_).value(); }

    void kill() const {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

private:
    [[noreturn]] static void become_another() {
        ::execl("/bin/sleep", "sleep", "60", nullptr);
        ::_exit(127);
    }

    pid_t pid_{};
    pid_t heir_{};
    ProcessIdentity before_;
};

TEST_F(LineageTest, who_runs_another_program_is_who_he_was) {
    for (const bool by_another_thread : {false, true}) {
        const Instant before = clock_.now();
        const Changeling changeling{by_another_thread};
        const ProcessIdentity& owner = changeling.before();
        EXPECT_EQ(procfs_.identity(owner.pid).value(), owner);
        EXPECT_THAT(lineage_.heirs(owner, before).value(),
                    testing::UnorderedElementsAre(owner, changeling.heir()));
        changeling.kill();
        EXPECT_EQ(death_of(owner).signal(), SIGKILL);
        EXPECT_THAT(lineage_.heirs(owner, before).value(), ElementsAre(changeling.heir()));
    }
}

TEST_F(LineageTest, what_finds_no_room_is_counted_and_put_right) {
    test::FakeFdStore store;
    BpfLineage small{clock_, procfs_, lineage_events(store, 64)};
    start(small);
    const Instant before = clock_.now();
    {
        const Brood many{100, [](const auto& live) {
                             for (int at = 0; at < 100; ++at) {
                                 Brood::fork_one(live);
                             }
                         }};
        many.kill_parent();
        EXPECT_TRUE(small.incomplete());
        EXPECT_GT(small.lost(), 0U);
        const auto answer = small.heirs(many.parent(), before);
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

/// How many are listed at once is bounded, and how many are looked at when their parent ends.
TEST_F(LineageTest, knows_very_many_children) {
    constexpr std::size_t count = EGB_LINEAGE_PAGE + 100;
    const Instant before = clock_.now();
    const Brood many{count, [](const auto& live) {
                         for (std::size_t at = 0; at < count; ++at) {
                             Brood::fork_one(live);
                         }
                     }};
    EXPECT_EQ(lineage_.heirs(many.parent(), before).value().size(), count + 1);
    many.kill_parent();
    EXPECT_EQ(lineage_.heirs(many.parent(), before).value().size(), count);
}

TEST_F(LineageTest, children_of_threads_that_die_together_are_not_forgotten) {
    for (int round = 0; round < 20; ++round) {
        const Instant before = clock_.now();
        const Brood brood{8, [](const auto& live) {
                              fork_in_threads_that_stay(8, live);
                          }};
        brood.kill_parent();
        ASSERT_THAT(lineage_.heirs(brood.parent(), before).value(),
                    testing::UnorderedElementsAreArray(brood.children()));
    }
}

TEST_F(LineageTest, children_of_threads_that_have_ended_are_the_processs) {
    const Instant before = clock_.now();
    const Brood brood{4, [](const auto& live) {
                          fork_in_threads_that_end(4, live);
                      }};
    EXPECT_EQ(lineage_.heirs(brood.parent(), before).value().size(), 5U);
    EXPECT_EQ(lineage_.forker_of(brood.children().front()).value(), brood.parent());
    brood.kill_parent();
    EXPECT_THAT(lineage_.heirs(brood.parent(), before).value(),
                testing::UnorderedElementsAreArray(brood.children()));
}

TEST_F(LineageTest, a_sibling_by_CLONE_PARENT_is_its_forkers) {
    const Instant before = clock_.now();
    const auto ours = procfs_.identity(::getpid()).value();
    {
        const Brood brood{1, fork_a_sibling};
        const ProcessIdentity& sibling = brood.children().front();
        EXPECT_EQ(lineage_.forker_of(sibling).value(), brood.parent());
        EXPECT_THAT(lineage_.heirs(brood.parent(), before).value(),
                    testing::UnorderedElementsAre(brood.parent(), sibling));
        brood.kill_parent();
        EXPECT_THAT(lineage_.heirs(brood.parent(), before).value(), ElementsAre(sibling));
        EXPECT_THAT(lineage_.heirs(ours, before).value(), testing::UnorderedElementsAre(ours, sibling));
    }
    while (::waitpid(-1, nullptr, 0) > 0) { // it is our child after all
    }
}

TEST_F(LineageTest, who_takes_orphans_in_has_not_forked_them) {
    const Instant before = clock_.now();
    const auto taker = procfs_.identity(::getpid()).value();
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    {
        Line line{3};
        line.kill(1);
        EXPECT_EQ(death_of(line[1]).signal(), SIGKILL);
        EXPECT_EQ(lineage_.forker_of(line[2]).value(), line[1]);
        EXPECT_EQ(lineage_.forker_of(line[1]).value(), line[0]) << "who is dead by now";
        EXPECT_EQ(lineage_.forker_of(line[0]).value(), taker);
        line.kill(0);
        EXPECT_THAT(lineage_.heirs(line[0], before).value(), ElementsAre(line[2]));
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
}

TEST_F(LineageTest, a_line_of_the_dead_is_kept_while_somebody_lives_at_its_end) {
    const Instant before = clock_.now();
    ProcessIdentity first;
    {
        Line line{7};
        first = line[0];
        for (const std::size_t at : {3U, 1U, 5U, 2U, 4U, 0U}) {
            line.kill(at);
            EXPECT_EQ(death_of(line[at]).signal(), SIGKILL);
            EXPECT_THAT(lineage_.heirs(line[0], before).value(), testing::Contains(line[6]));
        }
        EXPECT_THAT(lineage_.heirs(line[0], before).value(), ElementsAre(line[6]));
    }
    for (const Instant end = clock_.now() + 10s;
         clock_.now() < end && !lineage_.heirs(first, before).value().empty();) {
        ::poll(nullptr, 0, 5);
    }
    EXPECT_THAT(lineage_.heirs(first, before).value(), IsEmpty());
}

/// All but one, at one time and on all CPUs: each may find the entry of the next one missing.
TEST_F(LineageTest, a_survivor_of_a_family_that_dies_at_once_is_not_forgotten) {
    std::array<std::size_t, 5> order{0, 1, 2, 3, 4};
    do {
        const Instant before = clock_.now();
        Line line{6};
        for (const std::size_t at : order) {
            ::kill(line[at].pid, SIGKILL);
        }
        line.kill(0);
        for (std::size_t at = 1; at < 5; ++at) {
            ASSERT_EQ(death_of(line[at]).signal(), SIGKILL);
        }
        ASSERT_THAT(lineage_.heirs(line[0], before).value(), ElementsAre(line[5]));
        ASSERT_THAT(lineage_.heirs(line[3], before).value(), ElementsAre(line[5]));
        ASSERT_EQ(lineage_.forker_of(line[5]).value(), line[4]);
    } while (std::ranges::next_permutation(order).found);
}

/// Never is the answer that all are dead: at any time the next one has been forked before the last one ends.
TEST_F(LineageTest, a_line_that_goes_on_and_on_is_never_called_dead) {
    const Instant before = clock_.now();
    const Instant end = before + 1s;
    const Brood runner{0, [&](const auto& /*live*/) {
                           if (::fork() == 0) {
                               hop_until(end);
                           }
                       }};
    runner.kill_parent();
    int answers = 0;
    while (true) {
        const auto heirs = lineage_.heirs(runner.parent(), before);
        if (clock_.now() >= end) {
            break;
        }
        if (heirs) {
            ASSERT_THAT(*heirs, testing::Not(IsEmpty()));
            ++answers;
        } else {
            ASSERT_EQ(heirs.error().code, ErrorCode::busy);
        }
    }
    EXPECT_GT(answers, 0);
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

TEST_F(LineageTest, knows_of_those_who_were_dead_before_that_they_are) {
    Line line{1};
    line.leave_dead();
    test::FakeFdStore store;
    BpfLineage later{clock_, procfs_, lineage_events(store, room)};
    start(later);
    const auto all = later.unreaped().value();
    const auto found = std::ranges::find(all, line[0], &Unreaped::process);
    ASSERT_NE(found, all.end());
    EXPECT_EQ(found->death.signal(), SIGKILL);
    EXPECT_FALSE(found->death.seen);
    EXPECT_EQ(found->forked_by, std::nullopt) << "who is its parent now need not have forked it";
    EXPECT_EQ(later.death_of(line[0]).value(), found->death);
    EXPECT_EQ(later.forker_of(line[0]).error().code, ErrorCode::lost);
}

TEST_F(LineageTest, knows_whose_child_and_of_which_session_somebody_was) {
    const auto ours = procfs_.identity(::getpid()).value();
    Line line{1, [] {
                  ::setsid();
              }};
    EXPECT_EQ(lineage_.session_of(line[0]).value(), line[0].pid);
    line.leave_dead();
    const auto all = lineage_.unreaped().value();
    const auto found = std::ranges::find(all, line[0], &Unreaped::process);
    ASSERT_NE(found, all.end());
    EXPECT_EQ(found->forked_by, ours);
    EXPECT_TRUE(found->death.seen);
    line.kill(0);
    EXPECT_EQ(lineage_.forker_of(line[0]).value(), ours);
    EXPECT_EQ(lineage_.session_of(line[0]).value(), line[0].pid);
}

TEST_F(LineageTest, knows_who_had_a_pid_at_some_time) {
    const Instant before = clock_.now();
    Line line{1};
    const Instant during = clock_.now();
    EXPECT_EQ(lineage_.identity_at(line[0].pid, during).value(), line[0]);
    EXPECT_EQ(lineage_.identity_at(line[0].pid, before).error().code, ErrorCode::lost);
    line.kill(0);
    EXPECT_EQ(lineage_.identity_at(line[0].pid, during).value(), line[0]);
    EXPECT_EQ(lineage_.identity_at(line[0].pid, before).error().code, ErrorCode::lost);
    EXPECT_EQ(lineage_.identity_at(line[0].pid, clock_.now()).error().code, ErrorCode::lost);
}

/// The one that older kernels have sees no other pid namespace than the reader's.
TEST_F(LineageTest, both_lists_of_the_living_are_the_same) {
    const Instant before = clock_.now();
    const Line line{3};
    const egb_lineage_wanted wanted{.since_ns = static_cast<std::uint64_t>(before.time_since_epoch().count()),
                                    .head = 0,
                                    .who = EGB_LINEAGE_LIVING,
                                    .part = 0,
                                    .parts = 1,
                                    .found = 0};
    ASSERT_TRUE(lineage_.events().control("egb_lineage_wanted", std::as_bytes(std::span{&wanted, 1})));
    std::map<std::int32_t, std::int32_t> parents;
    ASSERT_TRUE(lineage_.events().iterate(
        "egb_lineage_walk", sizeof(egb_lineage_process), [&](EventSource::Record record) {
            egb_lineage_process process{};
            std::memcpy(&process, record.data(), sizeof(process));
            const auto pid = [](std::uint64_t id) {
                return static_cast<std::int32_t>(id & ((1U << EGB_LINEAGE_PID_BITS) - 1));
            };
            parents[pid(process.id)] = pid(process.parent);
        }));
    for (std::size_t at = 0; at < 3; ++at) {
        EXPECT_EQ(parents[line[at].pid], at == 0 ? ::getpid() : line[at - 1].pid);
    }
    EXPECT_EQ(lineage_.heirs(line[0], before).value().size(), 3U);
}

TEST_F(LineageTest, knows_all_of_them_from_inside_of_a_pid_namespace) {
    const Instant before = clock_.now();
    const Line line{2};
    const pid_t first = ::fork();
    if (first == 0) {
        ::unshare(CLONE_NEWPID);
        const pid_t inside = ::fork();
        if (inside == 0) {
            const auto heirs = lineage_.heirs(line[0], before);
            ::_exit(::getpid() == 1 && heirs && heirs->size() == 2 ? 0 : 1);
        }
        int status = 0;
        ::waitpid(inside, &status, 0);
        ::_exit(WEXITSTATUS(status));
    }
    int status = 0;
    ::waitpid(first, &status, 0);
    EXPECT_EQ(status, 0);
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
