// SPDX-License-Identifier: Apache-2.0
// The process monitor on the real kernel: real processes in, lines of JSON out.
#include "core/format.hpp"
#include "harness/temp_folder.hpp"
#include "host/bpf_events.hpp"
#include "host/monotonic_clock.hpp"
#include "tiny_trace.skel.h"
#include "trace/trace.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <systemd/sd-event.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <iterator>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace egb::trace {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Span patience = 10s;

/// What a child does; it never returns.
using Deed = std::function<void()>;

pid_t start(const Deed& deed) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        deed();
        ::_exit(0);
    }
    return pid;
}

pid_t run(const Deed& deed) {
    const pid_t pid = start(deed);
    int status{};
    ::waitpid(pid, &status, 0);
    return pid;
}

Deed executes(std::vector<std::string> args) {
    return [args = std::move(args)]() mutable {
        std::vector<char*> pointers;
        for (auto& arg : args) {
            pointers.push_back(arg.data());
        }
        pointers.push_back(nullptr);
        ::execv("/bin/true", pointers.data());
        ::_exit(127);
    };
}

Deed exits(int status) {
    return [status] {
        ::_exit(status);
    };
}

/// A file of our own under another name, so that nobody else on this machine has it as his.
class Program {
public:
    explicit Program(const std::string& name) : path_{folder_.path() / name} {
        std::filesystem::copy_file("/bin/true", path_);
    }
    [[nodiscard]] Deed deed() const {
        return [path = path_.string()] {
            ::execl(path.c_str(), path.c_str(), nullptr);
            ::_exit(127);
        };
    }
    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    test::TempFolder folder_;
    std::filesystem::path path_;
};

std::unique_ptr<host::EventSource> tiny_events() {
    std::size_t size = 0;
    const void* elf = tiny_trace_bpf__elf_bytes(&size);
    static host::NoFdStore no_store;
    return std::make_unique<host::BpfEvents>(
        host::BpfImage{.name = "tiny_trace",
                       .layout = EGB_TRACE_LAYOUT,
                       .elf = std::span{static_cast<const std::byte*>(elf), size}},
        no_store);
}

/// The daemon's part of it, with a loop that is turned by hand.
class Monitor {
public:
    explicit Monitor(Tracer::MakeEvents make = kernel_events)
        : trace_{clock_, procfs_, loop_, std::move(make)} {}

    [[nodiscard]] host::Fd watch(const Filter& filter) {
        auto socket = trace_.watch(filter, 0);
        if (!socket) {
            throw std::runtime_error{socket.error().message};
        }
        return std::move(*socket);
    }

    void turn() {
        while (sd_event_run(loop_.get(), 0) > 0) {
        }
    }

    void wait() { sd_event_run(loop_.get(), 10'000); }

    [[nodiscard]] std::size_t watchers() const { return trace_.watchers(); }
    [[nodiscard]] Instant now() const { return clock_.now(); }

private:
    host::MonotonicClock clock_;
    host::ProcFs procfs_{"/proc"};
    loop::EventLoop loop_;
    Trace trace_;
};

/// One watcher, and all that it has been told so far.
class Seen {
public:
    Seen(Monitor& monitor, const Filter& filter) : monitor_{monitor}, socket_{monitor.watch(filter)} {}

    void say(const std::string& filter) {
        const auto line = filter + "\n";
        ASSERT_EQ(::write(socket_.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
        const auto before = greetings();
        ASSERT_TRUE(until([&] {
            return greetings() > before;
        }));
    }

    /// Takes in what comes until `done`.
    bool until(const std::function<bool()>& done) {
        const Instant end = monitor_.now() + patience;
        while (true) {
            monitor_.turn();
            read();
            if (done()) {
                return true;
            }
            if (monitor_.now() > end) {
                return false;
            }
            monitor_.wait();
        }
    }

    /// All events of a process, once it has been told that it has ended. Events of one process come in their
    /// order.
    std::vector<json> until_exit(pid_t pid) {
        EXPECT_TRUE(until([&] {
            return !find(pid, "exit").empty();
        })) << "no exit of "
            << pid;
        return of(pid);
    }

    /// What has been told of it by now.
    [[nodiscard]] std::vector<json> of(pid_t pid) {
        monitor_.turn();
        read();
        std::vector<json> found;
        std::ranges::copy_if(lines_, std::back_inserter(found), [pid](const json& line) {
            return line.value("pid", 0) == pid;
        });
        return found;
    }

    [[nodiscard]] std::vector<json> find(pid_t pid, std::string_view event) {
        auto found = of(pid);
        std::erase_if(found, [event](const json& line) {
            return line["event"] != event;
        });
        return found;
    }

    [[nodiscard]] std::vector<json> all(std::string_view event) const {
        std::vector<json> found;
        std::ranges::copy_if(lines_, std::back_inserter(found), [event](const json& line) {
            return line["event"] == event;
        });
        return found;
    }

    [[nodiscard]] std::set<std::string> events_of(pid_t pid) {
        std::set<std::string> names;
        for (const auto& line : of(pid)) {
            names.insert(line["event"].get<std::string>());
        }
        return names;
    }

private:
    [[nodiscard]] std::size_t greetings() const { return all("watching").size(); }

    void read() {
        std::array<char, 65'536> block{};
        for (ssize_t got = 0; (got = ::read(socket_.get(), block.data(), block.size())) > 0;) {
            text_.append(block.data(), static_cast<std::size_t>(got));
            monitor_.turn();
        }
        std::size_t begin = 0;
        for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n', begin)) {
            lines_.push_back(json::parse(text_.substr(begin, end - begin)));
            begin = end + 1;
        }
        text_.erase(0, begin);
    }

    Monitor& monitor_;
    host::Fd socket_;
    std::string text_;
    std::vector<json> lines_;
};

class TraceOnTheKernel : public testing::Test {
protected:
    Monitor monitor_;
};

TEST_F(TraceOnTheKernel, tells_an_exec_with_its_arguments_and_its_end) {
    Seen seen{monitor_, {}};
    const pid_t pid = run(executes({"true", "a b", "", "\xFF\n\""}));
    const auto lines = seen.until_exit(pid);
    ASSERT_THAT(lines, SizeIs(2));
    const auto& exec = lines[0];
    EXPECT_EQ(exec["event"], "exec");
    EXPECT_EQ(exec["ppid"], ::getpid());
    EXPECT_EQ(exec["uid"], ::getuid());
    EXPECT_EQ(exec["comm"], "true");
    EXPECT_EQ(exec["args"], json({"true", "a b", "", "\\xff\\x0a\""}));
    EXPECT_EQ(exec["args_cut"], false);
    EXPECT_THAT(exec["exe"].get<std::string>(), testing::EndsWith("/bin/true"));
    const auto& exit = lines[1];
    EXPECT_EQ(exit["event"], "exit");
    EXPECT_EQ(exit["status"], 0);
    EXPECT_EQ(exit["signal"], nullptr);
    EXPECT_EQ(exit["start"], exec["start"]);
    EXPECT_GT(exit["peak_rss_bytes"], 100'000);
    EXPECT_GT(exit["duration_usec"], 0);
    EXPECT_LT(exit["duration_usec"], 5'000'000);
}

TEST_F(TraceOnTheKernel, tells_where_and_when_a_process_is) {
    Seen seen{monitor_, {}};
    const auto before = std::chrono::system_clock::now().time_since_epoch() - 1ms;
    const pid_t pid = run(executes({"true"}));
    const auto after = std::chrono::system_clock::now().time_since_epoch() + 1ms;
    const auto exec = seen.until_exit(pid).at(0);
    EXPECT_GE(std::chrono::microseconds{exec["time"].get<std::int64_t>()}, before);
    EXPECT_LE(std::chrono::microseconds{exec["time"].get<std::int64_t>()}, after);
    for (const auto& [name, path] : {std::pair{"pid", "/proc/self/ns/pid"},
                                     {"mnt", "/proc/self/ns/mnt"},
                                     {"net", "/proc/self/ns/net"}}) {
        struct stat status{};
        ASSERT_EQ(::stat(path, &status), 0);
        EXPECT_EQ(exec["namespaces"][name], status.st_ino) << name;
    }
}

TEST_F(TraceOnTheKernel, names_the_very_file_that_runs) {
    const Program program{"egb-trace-file"};
    Seen seen{monitor_, {.comm = "egb-trace-file"}};
    const pid_t pid = run(program.deed());
    const auto exec = seen.until_exit(pid).at(0);
    // Relative to the top of the mount namespace, which a chroot is not.
    EXPECT_THAT(exec["exe"].get<std::string>(), testing::EndsWith(program.path()));
}

TEST_F(TraceOnTheKernel, marks_arguments_that_are_cut) {
    Seen seen{monitor_, {}};
    const pid_t pid = run(executes({"true", std::string(3'000, 'a'), std::string(3'000, 'b')}));
    const auto exec = seen.until_exit(pid).at(0);
    EXPECT_EQ(exec["args_cut"], true);
    ASSERT_THAT(exec["args"], SizeIs(3));
    EXPECT_EQ(exec["args"][1], std::string(3'000, 'a'));
    EXPECT_EQ(exec["args"][2], std::string(EGB_TRACE_ARGS - 3'001 - 5, 'b'));
}

TEST_F(TraceOnTheKernel, tells_a_status_and_a_signal_apart) {
    Seen seen{monitor_, {}};
    const pid_t failed = run(exits(42));
    const pid_t killed = run([] {
        ::raise(SIGKILL);
    });
    const auto failure = seen.until_exit(failed).back();
    EXPECT_EQ(failure["status"], 42);
    EXPECT_EQ(failure["signal"], nullptr);
    const auto kill = seen.until_exit(killed).back();
    EXPECT_EQ(kill["status"], nullptr);
    EXPECT_EQ(kill["signal"], "SIGKILL");
    EXPECT_EQ(kill["core"], false);
}

/// As far as this machine writes cores at all: what is told must be what wait(2) says.
TEST_F(TraceOnTheKernel, tells_a_core_as_wait_does) {
    const test::TempFolder folder;
    Seen seen{monitor_, {}};
    const pid_t pid = start([&folder] {
        const rlimit unlimited{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_CORE, &unlimited);
        std::ignore = ::chdir(folder.path().c_str());
        ::abort();
    });
    int status{};
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    const auto exit = seen.until_exit(pid).back();
    EXPECT_EQ(exit["signal"], "SIGABRT");
    EXPECT_EQ(exit["core"], WCOREDUMP(status) != 0);
    if (!WCOREDUMP(status)) {
        GTEST_SKIP() << "this machine writes no cores";
    }
}

TEST_F(TraceOnTheKernel, tells_a_process_of_many_threads_once) {
    // Only ours: nobody reads while they run, and others fork meanwhile.
    Seen seen{monitor_, {.exec = false, .pid = ::getpid()}};
    const auto many_threads = [] {
        constexpr int threads = 4;
        std::latch together{threads + 1};
        const auto end_together = [&together] {
            together.arrive_and_wait();
            // The thread alone: the last one ends the process.
            ::syscall(SYS_exit, 3);
        };
        std::vector<std::jthread> others;
        std::ranges::generate_n(std::back_inserter(others), threads, [&end_together] {
            return std::jthread{end_together};
        });
        end_together();
    };
    std::vector<pid_t> pids;
    std::ranges::generate_n(std::back_inserter(pids), 400, [&many_threads] {
        return run(many_threads);
    });
    for (const pid_t pid : pids) {
        const auto lines = seen.until_exit(pid);
        ASSERT_THAT(lines, SizeIs(1));
        EXPECT_EQ(lines[0]["status"], 3);
        EXPECT_EQ(lines[0]["comm"], "bpf_test");
    }
    // Whatever was told twice would be here by now.
    seen.until_exit(run(exits(0)));
    for (const pid_t pid : pids) {
        EXPECT_THAT(seen.find(pid, "exit"), SizeIs(1));
    }
}

TEST_F(TraceOnTheKernel, tells_what_wait_says_though_the_first_thread_ended_before) {
    Seen seen{monitor_, {}};
    const pid_t pid = run([] {
        std::thread{[] {
            const host::ProcFs procfs{"/proc"};
            while (procfs.state(::getpid()).value().state != 'Z') {
                ::poll(nullptr, 0, 1);
            }
            ::_exit(7);
        }}.detach();
        ::syscall(SYS_exit, 0);
    });
    EXPECT_EQ(seen.until_exit(pid).back()["status"], 7);
}

TEST_F(TraceOnTheKernel, tells_no_exit_of_a_thread_and_no_fork_of_one) {
    Seen seen{monitor_, {.fork = true}};
    const pid_t pid = run([] {
        std::jthread{[] {}}.join();
    });
    const auto lines = seen.until_exit(pid);
    ASSERT_THAT(lines, SizeIs(2));
    EXPECT_EQ(lines[0]["event"], "fork");
    EXPECT_EQ(lines[0]["ppid"], ::getpid());
    EXPECT_EQ(lines[1]["event"], "exit");
}

TEST_F(TraceOnTheKernel, loses_none_of_thousands_that_live_for_a_moment) {
    Seen seen{monitor_, {.pid = ::getpid()}}; // others fork meanwhile, and may be too many to be read in time
    constexpr int processes = 2'000;
    std::set<pid_t> started;
    for (int i = 0; i < processes; ++i) {
        const pid_t pid = start(executes({"true"}));
        started.insert(pid);
        int status{};
        ::waitpid(pid, &status, 0);
        if (i % 50 == 0) {
            EXPECT_TRUE(seen.until([] {
                return true;
            }));
        }
    }
    seen.until_exit(run(exits(0)));
    std::set<pid_t> execs;
    std::set<pid_t> exits;
    for (const auto& line : seen.all("exec")) {
        execs.insert(line["pid"].get<pid_t>());
    }
    for (const auto& line : seen.all("exit")) {
        exits.insert(line["pid"].get<pid_t>());
    }
    EXPECT_TRUE(std::ranges::includes(execs, started));
    EXPECT_TRUE(std::ranges::includes(exits, started));
    EXPECT_THAT(seen.all("lost"), IsEmpty());
}

TEST_F(TraceOnTheKernel, tells_only_ends_of_those_that_lived_long_enough) {
    Seen seen{monitor_, {.min_duration = 300ms}};
    const pid_t brief = run(executes({"true"}));
    const pid_t longer = run([] {
        ::poll(nullptr, 0, 350);
    });
    const auto lines = seen.until_exit(longer);
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_GE(lines[0]["duration_usec"], 300'000);
    EXPECT_THAT(seen.of(brief), IsEmpty());
}

TEST_F(TraceOnTheKernel, tells_only_failures) {
    Seen seen{monitor_, {.failed = true}};
    const pid_t well = run(executes({"true"}));
    const pid_t killed = run([] {
        ::raise(SIGTERM);
    });
    const pid_t failed = run(exits(1));
    EXPECT_THAT(seen.until_exit(failed), SizeIs(1));
    EXPECT_THAT(seen.of(killed), SizeIs(1));
    EXPECT_THAT(seen.of(well), IsEmpty());
}

TEST_F(TraceOnTheKernel, tells_only_those_of_a_user_and_only_those_of_a_name) {
    constexpr uid_t user = 54'321;
    const Program program{"egb-trace-name"};
    Seen of_user{monitor_, {.uid = user}};
    Seen of_name{monitor_, {.comm = "egb-trace-name"}};
    const pid_t root = run(executes({"true"}));
    const pid_t named = run(program.deed());
    const pid_t other = run([] {
        std::ignore = ::setresuid(user, user, user);
        ::execl("/bin/true", "true", nullptr);
    });
    const auto of_other = of_user.until_exit(other);
    ASSERT_THAT(of_other, SizeIs(2));
    EXPECT_EQ(of_other[0]["uid"], user);
    EXPECT_THAT(of_user.of(root), IsEmpty());
    EXPECT_THAT(of_user.of(named), IsEmpty());
    EXPECT_THAT(of_name.until_exit(named), SizeIs(2));
    EXPECT_THAT(of_name.of(root), IsEmpty());
    EXPECT_THAT(of_name.of(other), IsEmpty());
}

TEST_F(TraceOnTheKernel, follows_descendants_also_when_their_parents_are_dead) {
    std::array<int, 2> order{};
    std::array<int, 2> report{};
    ASSERT_EQ(::pipe2(order.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(report.data(), O_CLOEXEC), 0);
    const pid_t root = start([&] {
        char go{};
        std::ignore = ::read(order[0], &go, 1);
        // The child forks a grandchild and dies; the grandchild runs a program after that.
        const pid_t child = start([&] {
            const pid_t parent = ::getpid();
            const pid_t orphan = ::fork();
            if (orphan == 0) {
                while (::getppid() == parent) {
                    ::poll(nullptr, 0, 1);
                }
                ::execl("/bin/true", "true", nullptr);
            }
            std::ignore = ::write(report[1], &orphan, sizeof(orphan));
        });
        ::waitpid(child, nullptr, 0);
    });
    Seen seen{monitor_, {.fork = true, .pid = root}};
    const pid_t stranger = run(executes({"true"}));
    ASSERT_EQ(::write(order[1], "g", 1), 1);
    pid_t orphan{};
    ASSERT_EQ(::read(report[0], &orphan, sizeof(orphan)), static_cast<ssize_t>(sizeof(orphan)));
    ::waitpid(root, nullptr, 0);
    seen.until_exit(orphan);
    EXPECT_EQ(seen.events_of(orphan), (std::set<std::string>{"exec", "exit", "fork"}));
    EXPECT_THAT(seen.find(root, "exit"), SizeIs(1));
    EXPECT_THAT(seen.of(stranger), IsEmpty());
    for (const int fd : {order[0], order[1], report[0], report[1]}) {
        ::close(fd);
    }
}

TEST_F(TraceOnTheKernel, follows_descendants_that_are_older_than_the_watcher) {
    std::array<int, 2> order{};
    ASSERT_EQ(::pipe2(order.data(), O_CLOEXEC), 0);
    std::array<int, 2> report{};
    ASSERT_EQ(::pipe2(report.data(), O_CLOEXEC), 0);
    const pid_t root = start([&] {
        const pid_t child = start([&] {
            const pid_t self = ::getpid();
            std::ignore = ::write(report[1], &self, sizeof(self));
            char go{};
            std::ignore = ::read(order[0], &go, 1);
        });
        ::waitpid(child, nullptr, 0);
    });
    pid_t child{};
    ASSERT_EQ(::read(report[0], &child, sizeof(child)), static_cast<ssize_t>(sizeof(child)));
    Seen seen{monitor_, {.pid = root}};
    ASSERT_EQ(::write(order[1], "g", 1), 1);
    ::waitpid(root, nullptr, 0);
    seen.until_exit(root);
    EXPECT_THAT(seen.find(child, "exit"), SizeIs(1));
    for (const int fd : {order[0], order[1], report[0], report[1]}) {
        ::close(fd);
    }
}

/// A control group of our own in the unified hierarchy.
class Group {
public:
    explicit Group(const std::string& name) {
        for (const std::filesystem::path root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
            struct stat status{};
            if (::stat((root / "cgroup.controllers").c_str(), &status) == 0) {
                top_ = root;
            }
        }
        if (!top_.empty()) {
            name_ = name;
            std::filesystem::create_directories(path() / "below");
        }
    }
    ~Group() {
        std::error_code ignored;
        if (there()) {
            std::filesystem::remove(path() / "below", ignored);
            std::filesystem::remove(path(), ignored);
        }
    }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    [[nodiscard]] bool there() const { return !top_.empty(); }
    [[nodiscard]] std::filesystem::path path() const { return top_ / name_; }
    [[nodiscard]] Deed runs_below() const {
        return [procs = (path() / "below" / "cgroup.procs").string()] {
            const int fd = ::open(procs.c_str(), O_WRONLY | O_CLOEXEC);
            std::ignore = ::write(fd, "0", 1);
            ::execl("/bin/true", "true", nullptr);
        };
    }

private:
    std::filesystem::path top_;
    std::string name_;
};

TEST_F(TraceOnTheKernel, tells_only_those_in_a_control_group_and_names_their_unit) {
    const auto unit = formatted("egb-trace-{}.service", ::getpid());
    const Group group{unit};
    if (!group.there()) {
        GTEST_SKIP() << "there is no unified hierarchy of control groups here";
    }
    struct stat status{};
    ASSERT_EQ(::stat((group.path() / "below").c_str(), &status), 0);
    Seen of_path{monitor_, {.cgroup = "/" + unit}};
    Seen of_id{monitor_, {.cgroup = std::to_string(status.st_ino)}};
    Seen of_unit{monitor_, {.unit = unit}};
    Seen of_another{monitor_, {.unit = unit + ".not"}};
    Seen of_both{monitor_, {.unit = unit, .cgroup = "/" + unit}};
    Seen of_both_that_cannot_be{monitor_, {.unit = unit + ".not", .cgroup = "/" + unit}};
    const pid_t outside = run(executes({"true"}));
    const pid_t inside = run(group.runs_below());
    for (auto* seen : {&of_path, &of_id, &of_unit, &of_both}) {
        const auto lines = seen->until_exit(inside);
        ASSERT_THAT(lines, SizeIs(2));
        EXPECT_EQ(lines[0]["cgroup"], status.st_ino);
        EXPECT_EQ(lines[0]["unit"], unit);
        EXPECT_THAT(seen->of(outside), IsEmpty());
    }
    EXPECT_THAT(of_another.of(inside), IsEmpty());
    EXPECT_THAT(of_both_that_cannot_be.of(inside), IsEmpty());
}

TEST_F(TraceOnTheKernel, serves_watchers_with_different_filters) {
    Seen failures{monitor_, {.failed = true}};
    Seen all{monitor_, {.fork = true}};
    const pid_t pid = run(executes({"true"}));
    const pid_t failed = run(exits(1));
    all.until_exit(failed);
    EXPECT_EQ(all.events_of(pid), (std::set<std::string>{"exec", "exit", "fork"}));
    EXPECT_THAT(failures.until_exit(failed), SizeIs(1));
    EXPECT_THAT(failures.of(pid), IsEmpty());
}

TEST_F(TraceOnTheKernel, changes_a_filter_while_it_runs) {
    Seen seen{monitor_, {.comm = "nobody-has-this"}};
    const pid_t before = run(exits(0));
    seen.say(R"({"events":["exit"]})");
    const pid_t between = run(executes({"true"}));
    EXPECT_THAT(seen.until_exit(between), SizeIs(1));
    EXPECT_THAT(seen.of(before), IsEmpty());
    seen.say(R"({"comm":"nobody-has-this"})");
    const pid_t after = run(exits(0));
    Seen all{monitor_, {}};
    all.until_exit(run(exits(0)));
    EXPECT_THAT(seen.of(after), IsEmpty());
}

TEST_F(TraceOnTheKernel, tells_the_working_directory_when_it_is_asked_for) {
    const test::TempFolder folder;
    Seen plain{monitor_, {}};
    Seen seen{monitor_, {.cwd = true}};
    const pid_t pid = run([&folder] {
        std::ignore = ::chdir(folder.path().c_str());
        ::execl("/bin/true", "true", nullptr);
    });
    const auto lines = seen.until_exit(pid);
    EXPECT_THAT(lines.at(0)["cwd"].get<std::string>(), testing::EndsWith(folder.path().string()));
    EXPECT_FALSE(plain.until_exit(pid).at(0).contains("cwd"));
}

TEST(TraceWithATinyRing, counts_what_finds_no_room_and_goes_on) {
    Monitor monitor{tiny_events};
    Seen seen{monitor, {}};
    std::set<pid_t> started;
    for (int i = 0; i < 100; ++i) {
        started.insert(run(exits(0)));
    }
    seen.until([&] {
        return !seen.all("lost").empty();
    });
    std::uint64_t lost = 0;
    for (const auto& line : seen.all("lost")) {
        EXPECT_EQ(line["where"], "kernel");
        lost += line["count"].get<std::uint64_t>();
    }
    const auto told = static_cast<std::uint64_t>(std::ranges::count_if(started, [&](pid_t pid) {
        return !seen.find(pid, "exit").empty();
    }));
    EXPECT_GT(told, 0U);
    EXPECT_GT(lost, 0U);
    EXPECT_GE(told + lost, started.size()) << "each exit has come or is told to be lost";
    const pid_t pid = run(exits(0));
    EXPECT_THAT(seen.until_exit(pid), SizeIs(1)) << "the ring must live again after a flood";
}

TEST_F(TraceOnTheKernel, has_nothing_in_the_kernel_when_nobody_watches) {
    {
        const Seen seen{monitor_, {}};
        EXPECT_EQ(monitor_.watchers(), 1U);
    }
    const Instant end = monitor_.now() + patience;
    while (monitor_.watchers() > 0 && monitor_.now() < end) {
        monitor_.wait();
    }
    EXPECT_EQ(monitor_.watchers(), 0U);
    Seen again{monitor_, {}};
    EXPECT_THAT(again.until_exit(run(exits(0))), SizeIs(1));
}

} // namespace
} // namespace egb::trace
