// SPDX-License-Identifier: Apache-2.0
// A forest of processes that fork, take orphans in and die at random, each time many at once; whoever lives
// must be everybody's heir whose descendant it is, and nobody else's.
#include "harness/fake_fd_store.hpp"

#include "host/bpf_lineage.hpp"
#include "host/monotonic_clock.hpp"
#include "host/procfs.hpp"

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <new>
#include <random>
#include <set>
#include <span>
#include <thread>
#include <vector>

namespace egb::host {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_trees = 600;
constexpr std::uint32_t room = 16'384;
/// So many entries others may need meanwhile; these here are hundreds.
constexpr std::size_t few = 100;

/// What a process is told to do, and does once.
enum class Order : std::uint8_t {
    none,
    fork,
    fork_in_thread,
    fork_and_end_thread,
    fork_sibling,
    take_orphans
};

/// A process, in memory that all of them share. Its number is given before it is forked.
struct Tree {
    std::atomic<pid_t> pid;
    std::atomic<Order> order;
    std::atomic<std::size_t> child; ///< the number of the one to be forked
};

class Forest {
public:
    Forest()
        : trees_{static_cast<Tree*>(::mmap(nullptr, most_trees * sizeof(Tree), PROT_READ | PROT_WRITE,
                                           MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
                 most_trees} {
        for (Tree& tree : trees_) {
            new (&tree) Tree{};
        }
    }
    ~Forest() {
        for (const std::size_t at : living()) {
            kill(at);
        }
        while (::waitpid(-1, nullptr, 0) > 0) {
        }
        ::munmap(trees_.data(), trees_.size_bytes());
    }
    Forest(const Forest&) = delete;
    Forest& operator=(const Forest&) = delete;

    /// The first.
    void plant() {
        add(0);
        if (::fork() == 0) {
            live(0);
        }
        know(0);
    }

    /// Has one forked by another, not waiting for it.
    void order(std::size_t parent, Order order) {
        const std::size_t child = order == Order::take_orphans ? 0 : add(parent);
        trees_[parent].child = child;
        trees_[parent].order = order;
    }

    /// Until all that was ordered has been done.
    void settle() {
        for (std::size_t at = 0; at < forkers_.size(); ++at) {
            while (is_alive_[at] && (trees_[at].pid == 0 || trees_[at].order != Order::none)) {
                ::poll(nullptr, 0, 1);
            }
            if (is_alive_[at]) {
                know(at);
            }
        }
    }

    void kill(std::size_t at) {
        ::kill(trees_[at].pid, SIGKILL);
        is_alive_[at] = false;
    }

    [[nodiscard]] std::vector<std::size_t> living() const {
        std::vector<std::size_t> found;
        for (std::size_t at = 0; at < is_alive_.size(); ++at) {
            if (is_alive_[at]) {
                found.push_back(at);
            }
        }
        return found;
    }

    [[nodiscard]] std::size_t size() const { return forkers_.size(); }
    [[nodiscard]] const ProcessIdentity& operator[](std::size_t at) const { return identities_[at]; }
    [[nodiscard]] std::size_t forker(std::size_t at) const { return forkers_[at]; }

    /// Those that live of one and all that it has forked, at any depth.
    [[nodiscard]] std::set<ProcessIdentity> heirs(std::size_t of) const {
        std::set<ProcessIdentity> found;
        for (const std::size_t one : living()) {
            std::size_t at = one;
            while (at != of && at != 0) {
                at = forkers_[at];
            }
            if (at == of) {
                found.insert(identities_[one]);
            }
        }
        return found;
    }

private:
    std::size_t add(std::size_t forker) {
        forkers_.push_back(forker);
        is_alive_.push_back(true);
        identities_.emplace_back();
        return forkers_.size() - 1;
    }

    void know(std::size_t at) {
        while (trees_[at].pid == 0) {
            ::poll(nullptr, 0, 1);
        }
        if (identities_[at].pid == 0) {
            identities_[at] = procfs_.identity(trees_[at].pid).value();
        }
    }

    [[noreturn]] void live(std::size_t self) {
        ::signal(SIGCHLD, SIG_IGN); // nobody waits
        trees_[self].pid = ::getpid();
        while (true) {
            if (trees_[self].order != Order::none) {
                obey(trees_[self]);
            }
            ::poll(nullptr, 0, 1);
        }
    }

    void obey(Tree& self) {
        const std::size_t child = self.child;
        switch (self.order.load()) {
        case Order::fork:
            fork(child);
            break;
        case Order::fork_in_thread:
            std::thread{[this, child] {
                fork(child);
                ::pause();
            }}.detach();
            break;
        case Order::fork_and_end_thread:
            std::thread{[this, child] {
                fork(child);
            }}.join();
            break;
        case Order::fork_sibling:
            if (::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr) == 0) {
                live(child);
            }
            break;
        case Order::take_orphans:
            ::prctl(PR_SET_CHILD_SUBREAPER, 1);
            break;
        case Order::none:
            break;
        }
        self.order = Order::none;
    }

    void fork(std::size_t child) {
        if (::fork() == 0) {
            live(child);
        }
    }

    ProcFs procfs_{"/proc"};
    std::span<Tree> trees_;
    std::vector<std::size_t> forkers_;
    std::vector<char> is_alive_;
    std::vector<ProcessIdentity> identities_;
};

class LineageForestTest : public testing::Test {
protected:
    LineageForestTest() { EXPECT_TRUE(lineage_.start()); }

    [[nodiscard]] std::vector<std::size_t> shuffled() {
        auto living = forest_.living();
        std::ranges::shuffle(living, random_);
        return living;
    }

    /// Everybody but the first does something.
    void let_grow() {
        constexpr std::array orders{Order::fork,           Order::fork,         Order::fork_sibling,
                                    Order::fork_in_thread, Order::take_orphans, Order::fork_and_end_thread};
        for (const std::size_t at : shuffled()) {
            if (at != 0) {
                forest_.order(at, orders[random_() % orders.size()]);
            } else if (forest_.size() == 1) {
                forest_.order(at, Order::fork);
            }
        }
        forest_.settle();
    }

    /// Two of five, at one time.
    void fell() {
        auto dead = shuffled();
        dead.resize(dead.size() * 2 / 5);
        for (const std::size_t at : dead) {
            forest_.kill(at);
        }
        for (const std::size_t at : dead) {
            while (!lineage_.death_of(forest_[at]).value()) {
                ::poll(nullptr, 0, 1);
            }
        }
    }

    void check() {
        for (std::size_t at = 0; at < forest_.size(); ++at) {
            const auto heirs = lineage_.heirs(forest_[at], before_);
            ASSERT_TRUE(heirs) << heirs.error().message;
            ASSERT_EQ(std::set(heirs->begin(), heirs->end()), forest_.heirs(at)) << "heirs of " << at;
        }
    }

    void live_and_die() {
        const std::size_t known = lineage_.known();
        before_ = clock_.now();
        forest_.plant();
        while (forest_.size() + forest_.living().size() < most_trees) {
            let_grow();
            fell();
            ASSERT_NO_FATAL_FAILURE(check());
        }
        for (const std::size_t at : forest_.living()) {
            forest_.kill(at);
        }
        for (const Instant end = clock_.now() + 10s; clock_.now() < end && lineage_.known() > known + few;
             ::poll(nullptr, 0, 5)) {
        }
        EXPECT_LE(lineage_.known(), known + few) << "of whom nobody is left, nothing is";
        EXPECT_EQ(lineage_.lost(), 0U);
    }

    MonotonicClock clock_;
    ProcFs procfs_{"/proc"};
    test::FakeFdStore store_;
    BpfLineage lineage_{clock_, procfs_, lineage_events(store_, room)};
    Instant before_{};
    std::uint32_t seed_{std::random_device{}()};
    std::mt19937 random_{seed_};
    Forest forest_;
};

TEST_F(LineageForestTest, is_known_exactly) {
    SCOPED_TRACE(seed_);
    live_and_die();
}

/// As long as one daemon takes over from another.
TEST_F(LineageForestTest, is_known_exactly_while_two_watch) {
    SCOPED_TRACE(seed_);
    BpfLineage successor{clock_, procfs_, lineage_events(store_, room)};
    ASSERT_TRUE(successor.start());
    live_and_die();
    EXPECT_EQ(successor.lost(), 0U);
}

} // namespace
} // namespace egb::host
