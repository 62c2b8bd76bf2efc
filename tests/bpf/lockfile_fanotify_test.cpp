// SPDX-License-Identifier: Apache-2.0
// Lock files as fanotify tells of them, on the real kernel. What a call has brought about is in the queue by
// the time that it returns, so nothing here waits. It is heard of the file systems that the machine's own
// mount namespace has, in which a test need not live: they have one in common.
#include "harness/call_32.hpp"
#include "harness/fake_fd_store.hpp"
#include "harness/io_uring.hpp"
#include "harness/lock_queries.hpp"
#include "harness/temp_folder.hpp"

#include "core/format.hpp"
#include "host/bpf_events.hpp"
#include "host/fan_watch.hpp"
#include "host/fd.hpp"
#include "host/monotonic_clock.hpp"
#include "host/procfs.hpp"
#include "kinds/lockfile/fanotify.hpp"

#include "bpf/lockfile.h"
#include "lockfile_fanotify.skel.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h> // NOLINT(modernize-deprecated-headers): kill() is POSIX
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace egb::lockfile {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

namespace fs = std::filesystem;

constexpr int anew = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;

struct Heard : egb_lock_created {
    std::string path;
};

auto named(const fs::path& path, int way) {
    return AllOf(Field("path", &Heard::path, path.string()), Field("way", &Heard::way, way));
}

/// What a daemon would have, and what it has heard of one folder.
class Listener : public test::LockQueries {
public:
    Listener(host::FdStore& store, fs::path folder) : folder_{std::move(folder)} {
        std::size_t size = 0;
        const auto* bytes = static_cast<const std::byte*>(lockfile_fanotify_bpf__elf_bytes(&size));
        const host::BpfImage image{
            .name = "lockfile_fanotify", .layout = EGB_LOCK_LAYOUT, .elf = {bytes, size}};
        events_ = std::make_unique<FanotifyEvents>(
            std::make_unique<host::BpfEvents>(image, store),
            std::make_unique<host::FanWatch>(procfs_, store, "test.queue"), clock_);
        attached_ = events_->attach();
        const std::array keys{test::pattern_of(".zlk"), test::pattern_of("Cargo.zlk")};
        const std::array<__u32, 2> verdicts{EGB_LOCK_WANTED, EGB_LOCK_UNWANTED};
        if (attached_) {
            EXPECT_TRUE(events_->replace("egb_lock_patterns", std::as_bytes(std::span{keys}),
                                         std::as_bytes(std::span{verdicts})));
        }
    }

    [[nodiscard]] const Result<>& attached() const { return attached_; }

    [[nodiscard]] std::vector<Heard> created() {
        drain();
        return std::exchange(created_, {});
    }
    [[nodiscard]] std::vector<egb_lock_touched> touched() {
        drain();
        return std::exchange(touched_, {});
    }

    [[nodiscard]] FanotifyEvents& events() { return *events_; }

private:
    void drain() {
        while (events_
                   ->drain(1000,
                           [this](host::EventSource::Record record) {
                               take(record);
                           })
                   .value() > 0) {
        }
    }

    void take(host::EventSource::Record record) {
        egb_header header{};
        std::memcpy(&header, record.data(), sizeof(header));
        if (header.type == EGB_LOCK_TOUCHED) {
            egb_lock_touched touched{};
            std::memcpy(&touched, record.data(), sizeof(touched));
            if (!others_.contains(touched.made_ns)) {
                touched_.push_back(touched);
            }
            return;
        }
        Heard made{};
        std::memcpy(static_cast<egb_lock_created*>(&made), record.data(), sizeof(egb_lock_created));
        const std::string text{reinterpret_cast<const char*>(record.data()) + sizeof(egb_lock_created),
                               record.size() - sizeof(egb_lock_created)};
        made.path = text.substr(0, made.base_length) + "/" + text.substr(made.base_length);
        if (made.path.starts_with(folder_.string())) {
            created_.push_back(made);
        } else {
            others_.insert(made.header.time_ns);
        }
    }

    fs::path folder_;
    host::ProcFs procfs_{"/proc"};
    host::MonotonicClock clock_;
    std::unique_ptr<FanotifyEvents> events_;
    Result<> attached_;
    std::vector<Heard> created_;
    std::vector<egb_lock_touched> touched_;
    std::set<std::uint64_t> others_; ///< of other tests, by when they were made
};

void make_anew(const fs::path& path) {
    const host::Fd made{::open(path.c_str(), anew, 0600)};
    ASSERT_TRUE(made) << path << ": " << std::strerror(errno);
}

std::uint64_t born_ns(const fs::path& path) {
    struct statx stat{};
    EXPECT_EQ(::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &stat), 0);
    return static_cast<std::uint64_t>(stat.stx_btime.tv_sec) * 1'000'000'000 + stat.stx_btime.tv_nsec;
}

/// A process that does something, and lives until this ends.
class Doer {
public:
    explicit Doer(const std::function<void()>& deed) {
        std::array<int, 2> said{};
        EXPECT_EQ(::pipe(said.data()), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            deed();
            [[maybe_unused]] const auto written = ::write(said[1], "x", 1);
            ::pause();
            ::_exit(0);
        }
        char byte{};
        EXPECT_EQ(::read(said[0], &byte, 1), 1);
        ::close(said[0]);
        ::close(said[1]);
    }
    ~Doer() { end(); }
    Doer(const Doer&) = delete;
    Doer& operator=(const Doer&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }

    /// Dead; waited for when this ends.
    void die() const {
        ::kill(pid_, SIGKILL);
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
    }
    void end() {
        if (pid_ > 0) {
            die();
            ::waitpid(std::exchange(pid_, 0), nullptr, 0);
        }
    }

private:
    pid_t pid_{};
};

/// Runs it in the mount namespace of another process.
int in_mount_namespace_of(pid_t pid, const std::function<int()>& deed) {
    const pid_t child = ::fork();
    if (child == 0) {
        const int space = ::open(formatted("/proc/{}/ns/mnt", pid).c_str(), O_RDONLY | O_CLOEXEC);
        ::_exit(::setns(space, CLONE_NEWNS) == 0 ? deed() : errno);
    }
    int status{};
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class LockfileFanotifyTest : public testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(listener_.attached()) << listener_.attached().error().message; }

    [[nodiscard]] Heard the_one() {
        const auto all = listener_.created();
        EXPECT_THAT(all, SizeIs(1)) << listener_.events().lost() << " were lost";
        return all.empty() ? Heard{} : all.front();
    }
    [[nodiscard]] Heard made(const fs::path& path) {
        make_anew(path);
        return the_one();
    }

    /// On a file system that the machine has, too.
    test::TempFolder shared_{fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp"};
    const fs::path folder_{shared_.path()};
    test::FakeFdStore store_;
    Listener listener_{store_, folder_};
};

TEST_F(LockfileFanotifyTest, a_file_that_was_made_is_told_with_all_that_is_known) {
    const auto path = folder_ / "a.zlk";
    const Heard told = made(path);
    struct stat stat{};
    ASSERT_EQ(::stat(path.c_str(), &stat), 0);
    EXPECT_THAT(told, named(path, EGB_LOCK_BY_OPEN));
    EXPECT_EQ(told.flags, EGB_LOCK_IS_INFERRED);
    EXPECT_EQ(told.key.inode, stat.st_ino);
    EXPECT_EQ(told.changed_ns, born_ns(path));
    EXPECT_EQ(told.uid, ::getuid());
    EXPECT_EQ(told.creator, ::getpid());
    EXPECT_EQ(told.inner_pid, ::getpid());
    EXPECT_EQ(told.parent, ::getppid());
    const host::ProcFs procfs{"/proc"};
    constexpr std::uint64_t tick = 10'000'000;
    EXPECT_EQ(told.creator_start_ns / tick, procfs.identity(::getpid())->start_ticks);
    EXPECT_EQ(std::string{told.comm}, "bpf_test");
    const auto now = host::MonotonicClock{}.now();
    EXPECT_LT(now - instant_of(told.header.time_ns), std::chrono::seconds{10});
    EXPECT_EQ(listener_.state(told).made_ns, told.header.time_ns);
}

TEST_F(LockfileFanotifyTest, the_ways_in_which_it_can_be_made_are_told_apart_as_far_as_they_show) {
    make_anew(folder_ / "old");
    EXPECT_GE(::creat((folder_ / "1.zlk").c_str(), 0600), 0);
    EXPECT_EQ(::symlink("host:12", (folder_ / "2.zlk").c_str()), 0);
    EXPECT_EQ(::mkdir((folder_ / "3.zlk").c_str(), 0700), 0);
    EXPECT_EQ(::link((folder_ / "old").c_str(), (folder_ / "4.zlk").c_str()), 0);
    EXPECT_EQ(::mknod((folder_ / "6.zlk").c_str(), S_IFREG | 0600, 0), 0);
    EXPECT_EQ(::mkfifo((folder_ / "7.zlk").c_str(), 0600), 0);
    EXPECT_EQ(::renameat2(AT_FDCWD, (folder_ / "old").c_str(), AT_FDCWD, (folder_ / "5.zlk").c_str(),
                          RENAME_NOREPLACE),
              0);
    EXPECT_THAT(listener_.created(), ElementsAre(named(folder_ / "1.zlk", EGB_LOCK_BY_OPEN),
                                                 named(folder_ / "2.zlk", EGB_LOCK_BY_SYMLINK),
                                                 named(folder_ / "3.zlk", EGB_LOCK_BY_MKDIR),
                                                 named(folder_ / "4.zlk", EGB_LOCK_BY_LINK),
                                                 named(folder_ / "6.zlk", EGB_LOCK_BY_OPEN)));
}

TEST_F(LockfileFanotifyTest, names_that_are_not_wanted_are_not_told_of) {
    make_anew(folder_ / "Cargo.zlk");
    make_anew(folder_ / "a.zlk.1");
    make_anew(folder_ / "zlk");
    EXPECT_THAT(listener_.created(), IsEmpty());
}

TEST_F(LockfileFanotifyTest, what_is_gone_before_it_is_heard_of_is_not_told_of) {
    make_anew(folder_ / "a.zlk");
    EXPECT_EQ(::unlink((folder_ / "a.zlk").c_str()), 0);
    EXPECT_THAT(listener_.created(), IsEmpty());
}

TEST_F(LockfileFanotifyTest, that_it_goes_is_told_however_it_goes) {
    const auto told_once = [&](const Heard& file) {
        const auto touched = listener_.touched();
        ASSERT_THAT(touched, SizeIs(1));
        EXPECT_EQ(touched.front().made_ns, file.header.time_ns);
    };
    const Heard removed = made(folder_ / "a.zlk");
    EXPECT_EQ(::unlink((folder_ / "a.zlk").c_str()), 0);
    told_once(removed);
    const Heard renamed = made(folder_ / "b.zlk");
    EXPECT_EQ(::rename((folder_ / "b.zlk").c_str(), (folder_ / "b").c_str()), 0);
    told_once(renamed);
    const Heard replaced = made(folder_ / "c.zlk");
    EXPECT_EQ(::rename((folder_ / "b").c_str(), (folder_ / "c.zlk").c_str()), 0);
    told_once(replaced);
    EXPECT_EQ(::mkdir((folder_ / "d.zlk").c_str(), 0700), 0);
    const Heard folder = the_one();
    EXPECT_EQ(::rmdir((folder_ / "d.zlk").c_str()), 0);
    told_once(folder);
}

TEST_F(LockfileFanotifyTest, its_folder_may_be_called_otherwise_meanwhile) {
    fs::create_directory(folder_ / "old");
    const Heard file = made(folder_ / "old/a.zlk");
    fs::rename(folder_ / "old", folder_ / "new");
    make_anew(folder_ / "new/b.zlk");
    EXPECT_THAT(the_one(), named(folder_ / "new/b.zlk", EGB_LOCK_BY_OPEN));
    EXPECT_EQ(::unlink((folder_ / "new/a.zlk").c_str()), 0);
    const auto touched = listener_.touched();
    ASSERT_THAT(touched, SizeIs(1));
    EXPECT_EQ(touched.front().made_ns, file.header.time_ns);
}

TEST_F(LockfileFanotifyTest, one_that_takes_the_place_of_another_is_another) {
    const Heard first = made(folder_ / "a.zlk");
    EXPECT_EQ(::unlink((folder_ / "a.zlk").c_str()), 0);
    const Heard second = made(folder_ / "a.zlk");
    EXPECT_NE(first.header.time_ns, second.header.time_ns);
    EXPECT_EQ(listener_.ask("egb_lock_forget", first), 0U);
    EXPECT_EQ(listener_.state(second).made_ns, second.header.time_ns);
    std::ignore = listener_.touched();
    EXPECT_EQ(::unlink((folder_ / "a.zlk").c_str()), 0);
    EXPECT_THAT(listener_.touched(), SizeIs(1));
}

TEST_F(LockfileFanotifyTest, that_it_is_used_for_an_advisory_lock_is_told) {
    const auto path = folder_ / "a.zlk";
    const Heard file = made(path);
    const host::Fd open{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    EXPECT_EQ(::flock(open.get(), LOCK_EX), 0);
    const auto touched = listener_.touched();
    ASSERT_THAT(touched, SizeIs(1));
    EXPECT_TRUE(touched.front().flags & EGB_LOCK_IS_ADVISORY);
    EXPECT_TRUE(listener_.state(file).flags & EGB_LOCK_IS_ADVISORY);
}

TEST_F(LockfileFanotifyTest, that_it_was_locked_before_it_was_heard_of_is_known) {
    const host::Fd flocked{::open((folder_ / "a.zlk").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)};
    EXPECT_EQ(::flock(flocked.get(), LOCK_EX), 0);
    const host::Fd fcntled{::open((folder_ / "b.zlk").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)};
    struct flock lock{};
    lock.l_type = F_WRLCK;
    EXPECT_EQ(::fcntl(fcntled.get(), F_SETLK, &lock), 0);
    const auto told = listener_.created();
    ASSERT_THAT(told, SizeIs(2));
    for (const Heard& one : told) {
        EXPECT_TRUE(listener_.state(one).flags & EGB_LOCK_IS_ADVISORY) << one.path;
    }
    EXPECT_THAT(listener_.touched(), SizeIs(2));
}

TEST_F(LockfileFanotifyTest, who_is_dead_before_it_is_heard_of_is_known_until_he_is_waited_for) {
    const Doer zombie{[&] {
        make_anew(folder_ / "zombie.zlk");
    }};
    zombie.die();
    Doer gone{[&] {
        make_anew(folder_ / "gone.zlk");
    }};
    const pid_t pid = gone.pid();
    gone.end();
    const auto told = listener_.created();
    ASSERT_THAT(told, SizeIs(2));
    EXPECT_EQ(told[0].creator, zombie.pid());
    EXPECT_NE(told[0].creator_start_ns, 0U);
    EXPECT_EQ(told[0].flags, EGB_LOCK_IS_INFERRED | EGB_LOCK_BY_FORK);
    EXPECT_EQ(told[1].creator, pid);
    EXPECT_EQ(told[1].creator_start_ns, 0U) << "of whom nothing is known";
    EXPECT_EQ(told[1].uid, ::getuid()) << "whose the file is";
}

TEST_F(LockfileFanotifyTest, who_has_another_pid_where_he_lives_is_known_by_that_of_the_machine) {
    const Doer doer{[&] {
        if (::unshare(CLONE_NEWPID) == 0 && ::fork() == 0) {
            make_anew(folder_ / "a.zlk");
            ::pause();
        }
        while (!fs::exists(folder_ / "a.zlk")) {
            ::sched_yield();
        }
    }};
    const Heard told = the_one();
    EXPECT_EQ(told.inner_pid, 1);
    EXPECT_NE(told.creator, 1);
    EXPECT_EQ(told.parent, doer.pid());
    ::kill(told.creator, SIGKILL);
}

TEST_F(LockfileFanotifyTest, what_nobody_has_read_stays_in_order) {
    constexpr int files = 500;
    for (int at = 0; at < files; ++at) {
        make_anew(folder_ / formatted("other{}", at));
        make_anew(folder_ / formatted("{}.zlk", at));
    }
    const auto told = listener_.created();
    ASSERT_THAT(told, SizeIs(files));
    EXPECT_TRUE(std::ranges::all_of(told, [](const Heard& one) {
        return one.creator == ::getpid();
    }));
    EXPECT_EQ(told.back().path, folder_ / formatted("{}.zlk", files - 1));
}

/// What comes in while it is read is not taken for what was looked at before.
TEST_F(LockfileFanotifyTest, whoever_makes_many_while_they_are_heard_of_is_known) {
    constexpr std::size_t files = 2000;
    const Doer doer{[&] {
        if (::fork() == 0) {
            for (std::size_t at = 0; at < files; ++at) {
                const auto path = folder_ / formatted("{}{}.zlk", std::string(at % 200, 'n'), at);
                ::close(::open(path.c_str(), anew, 0600));
            }
            ::pause();
        }
    }};
    std::vector<Heard> all;
    while (all.size() < files) {
        std::ranges::copy(listener_.created(), std::back_inserter(all));
    }
    EXPECT_TRUE(std::ranges::all_of(all, [](const Heard& one) {
        return one.creator != 0 && one.creator_start_ns != 0;
    }));
    ::kill(all.front().creator, SIGKILL);
}

TEST_F(LockfileFanotifyTest, an_overflow_is_a_loss_and_nothing_is_watched_any_more) {
    const Heard file = made(folder_ / "a.zlk");
    const auto before = listener_.events().lost();
    std::size_t room = 0;
    std::ifstream{"/proc/sys/fs/fanotify/max_queued_events"} >> room;
    ASSERT_GT(room, 0U);
    for (std::size_t at = 0; at <= room; ++at) {
        make_anew(folder_ / formatted("{}", at));
    }
    EXPECT_THAT(listener_.created(), IsEmpty());
    EXPECT_EQ(listener_.events().lost(), before + 1);
    EXPECT_EQ(listener_.ask("egb_lock_looked", file), 1U);
    EXPECT_EQ(listener_.ask("egb_lock_watch", file), 0U) << "as whoever looks at it does";
    EXPECT_EQ(::unlink((folder_ / "a.zlk").c_str()), 0);
    EXPECT_THAT(listener_.touched(), SizeIs(1)) << "by a name of which it is not known whose it is";
}

TEST_F(LockfileFanotifyTest, nothing_is_missed_while_the_daemon_is_restarted) {
    const Heard file = made(folder_ / "a.zlk");
    make_anew(folder_ / "between.zlk");
    store_.restart();
    Listener successor{store_, folder_};
    ASSERT_TRUE(successor.attached());
    EXPECT_THAT(successor.created(), ElementsAre(named(folder_ / "between.zlk", EGB_LOCK_BY_OPEN)));
    EXPECT_EQ(successor.state(file).made_ns, file.header.time_ns);
    EXPECT_EQ(successor.ask("egb_lock_looked", file), 0U);
    EXPECT_EQ(::unlink((folder_ / "a.zlk").c_str()), 0);
    EXPECT_THAT(successor.touched(), SizeIs(1));
}

TEST_F(LockfileFanotifyTest, what_is_mounted_later_is_heard_of_too) {
    const host::ProcFs procfs{"/proc"};
    host::MountRoots roots{procfs};
    const auto machine = roots.open(0);
    ASSERT_TRUE(machine);
    const auto place = folder_ / "mounted";
    fs::create_directory(place);
    ASSERT_EQ(in_mount_namespace_of(machine->resident.pid,
                                    [&] {
                                        return ::mount("t", place.c_str(), "tmpfs", 0, nullptr);
                                    }),
              0);
    EXPECT_THAT(listener_.created(), IsEmpty());
    EXPECT_THAT(listener_.events().extent(), testing::HasSubstr(place.string()));
    ASSERT_EQ(in_mount_namespace_of(machine->resident.pid,
                                    [&] {
                                        return ::open((place / "a.zlk").c_str(), anew, 0600) < 0 ? errno : 0;
                                    }),
              0);
    EXPECT_THAT(the_one(), named(place / "a.zlk", EGB_LOCK_BY_OPEN));
    EXPECT_EQ(in_mount_namespace_of(machine->resident.pid,
                                    [&] {
                                        return ::umount(place.c_str());
                                    }),
              0)
        << "nothing of it is kept open";
}

TEST_F(LockfileFanotifyTest, who_asks_by_io_uring_is_told_of) {
    const int opened = test::open_by_io_uring(folder_ / "a.zlk", anew, 0);
    if (opened < 0) {
        GTEST_SKIP() << "no io_uring: " << std::strerror(-opened);
    }
    EXPECT_GE(test::open_by_io_uring(folder_ / "b.zlk", anew, IOSQE_ASYNC), 0);
    const auto told = listener_.created();
    ASSERT_THAT(told, SizeIs(2));
    EXPECT_EQ(told[0].creator, ::getpid());
    EXPECT_EQ(told[1].creator, ::getpid());
}

TEST_F(LockfileFanotifyTest, who_asks_by_32_bits_is_told_of) {
    const int opened = test::call_by_32_bits(test::Call32::creat, folder_ / "a.zlk");
    if (opened == -ENOSYS) {
        GTEST_SKIP() << "no 32-bit calls here";
    }
    EXPECT_GE(opened, 0);
    EXPECT_EQ(test::call_by_32_bits(test::Call32::mkdir, folder_ / "b.zlk"), 0);
    const auto told = listener_.created();
    ASSERT_THAT(told, SizeIs(2));
    EXPECT_THAT(told[0], named(folder_ / "a.zlk", EGB_LOCK_BY_OPEN));
    EXPECT_THAT(told[1], named(folder_ / "b.zlk", EGB_LOCK_BY_MKDIR));
    EXPECT_EQ(told[0].creator, ::getpid());
    EXPECT_EQ(told[1].creator, ::getpid());
}

} // namespace
} // namespace egb::lockfile
