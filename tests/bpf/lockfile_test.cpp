// SPDX-License-Identifier: Apache-2.0
// Lock files as they come to be, on the real kernel. What a call has brought about is in the ring by the time
// that it returns, so nothing here waits. It is the first mechanism that works here which is tested, or the
// one that EGB_SEE names.
#include "harness/call_32.hpp"
#include "harness/fake_fd_store.hpp"
#include "harness/io_uring.hpp"
#include "harness/lock_queries.hpp"
#include "harness/temp_folder.hpp"

#include "core/format.hpp"
#include "host/bpf_events.hpp"
#include "host/fd.hpp"
#include "host/kernel_names.hpp"
#include "host/monotonic_clock.hpp"
#include "host/procfs.hpp"

#include "bpf/lockfile.h"
#include "lockfile.skel.h"
#include "lockfile_vfs.skel.h"
#include "tiny_lockfile.skel.h"
#include "tiny_lockfile_vfs.skel.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace egb::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int exclusive = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;

struct Created : egb_lock_created {
    std::string base;
    std::string name;
    std::string group; ///< path of its creator's control group
    std::string path;  ///< what both come to
};

auto is_at(const std::string& path) {
    return Field("path", &Created::path, path);
}

auto is_made_by(int way) {
    return Field("way", &Created::way, way);
}

using Elf = const void* (*)(std::size_t* size);

/// A way to see that files are made.
struct Mechanism {
    std::string_view name;
    Elf elf;
    Elf tiny; ///< the same with little room
    std::span<const std::string_view> optional;
    bool goes_by_registers; ///< of who calls
    bool sees_contents;     ///< that they change
};

constexpr std::array<std::string_view, 2> openings{"egb_lock_filp_opened", "egb_lock_file_opened"};

constexpr std::array mechanisms{
    Mechanism{"timestamps", lockfile_bpf__elf_bytes, tiny_lockfile_bpf__elf_bytes, {}, true, true},
    Mechanism{"fexit", lockfile_vfs_bpf__elf_bytes, tiny_lockfile_vfs_bpf__elf_bytes, openings, false, false},
};

BpfImage image_of(const Mechanism& mechanism, Elf elf) {
    std::size_t size = 0;
    const auto* bytes = static_cast<const std::byte*>(elf(&size));
    return {
        .name = "lockfile", .layout = EGB_LOCK_LAYOUT, .elf = {bytes, size}, .optional = mechanism.optional};
}

/// Why it does not work here; empty when it does.
std::string lack_of(const Mechanism& one) {
    test::FakeFdStore store;
    BpfEvents events{image_of(one, one.elf), store};
    if (const auto attached = events.attach(); !attached) {
        return attached.error().message;
    }
    const auto is_there = [&](std::string_view program) {
        return events.refusal(program).empty();
    };
    return one.optional.empty() || std::ranges::any_of(one.optional, is_there)
               ? ""
               : events.refusal(one.optional.front());
}

const Mechanism& find_mechanism() {
    const char* wanted = std::getenv("EGB_SEE");
    std::string why;
    for (const Mechanism& one : mechanisms) {
        if (wanted != nullptr && one.name != wanted) {
            continue;
        }
        const std::string lack = lack_of(one);
        if (lack.empty()) {
            return one;
        }
        why += formatted("{}: {}. ", one.name, lack);
    }
    throw std::runtime_error{"lock files cannot be seen: " + why};
}

const Mechanism& mechanism() {
    static const Mechanism& found = find_mechanism();
    return found;
}

BpfImage image() {
    return image_of(mechanism(), mechanism().elf);
}

BpfImage tiny_image() {
    return image_of(mechanism(), mechanism().tiny);
}

/// The kernel side, and what it has told of the files below one folder.
class Watch : public test::LockQueries {
public:
    Watch(const BpfImage& image, FdStore& store, std::filesystem::path folder)
        : events_{image, store}, folder_{std::move(folder)} {
        const auto attached = events_.attach();
        if (!attached) {
            throw std::runtime_error{attached.error().message};
        }
        set_patterns();
    }

    /// Begins anew, with another folder.
    void begin(std::filesystem::path folder) {
        drain();
        for (const auto& [made, file] : ours_) {
            ask("egb_lock_forget", file);
        }
        ours_.clear();
        created_.clear();
        touched_.clear();
        everything_ = false;
        folder_ = std::move(folder);
        set_patterns();
    }

    void set_patterns() {
        // Of names that nobody else on this machine has.
        const std::array keys{test::pattern_of(".zlk"), test::pattern_of("Cargo.zlk"),
                              test::pattern_of("/zlk-whole")};
        const std::array<__u32, 3> verdicts{EGB_LOCK_WANTED, EGB_LOCK_UNWANTED, EGB_LOCK_WANTED};
        EXPECT_TRUE(events_.replace("egb_lock_patterns", std::as_bytes(std::span{keys}),
                                    std::as_bytes(std::span{verdicts})));
    }

    [[nodiscard]] std::vector<Created> created() {
        drain();
        return std::exchange(created_, {});
    }

    /// Of those that were created here.
    [[nodiscard]] std::vector<egb_lock_touched> touched() {
        drain();
        return std::exchange(touched_, {});
    }

    [[nodiscard]] BpfEvents& events() { return events_; }

private:
    void drain() {
        while (events_
                   .drain(1000,
                          [this](EventSource::Record record) {
                              take(record);
                          })
                   .value() > 0) {
        }
    }

    void take(EventSource::Record record) {
        egb_header header{};
        std::memcpy(&header, record.data(), sizeof(header));
        ASSERT_EQ(header.size, record.size());
        if (header.type == EGB_LOCK_CREATED) {
            take_created(record);
        } else if (header.type == EGB_LOCK_TOUCHED) {
            egb_lock_touched touched{};
            std::memcpy(&touched, record.data(), sizeof(touched));
            if (ours_.contains(touched.made_ns)) {
                touched_.push_back(touched);
            }
        } else {
            ADD_FAILURE() << "a record of type " << header.type;
        }
    }

    void take_created(EventSource::Record record) {
        Created made{};
        std::memcpy(static_cast<egb_lock_created*>(&made), record.data(), sizeof(egb_lock_created));
        const std::string text{reinterpret_cast<const char*>(record.data()) + sizeof(egb_lock_created),
                               record.size() - sizeof(egb_lock_created)};
        ASSERT_EQ(text.size(),
                  std::size_t{made.base_length} + made.name_length + std::size_t{made.cgroup_length});
        made.base = text.substr(0, made.base_length);
        made.name = text.substr(made.base_length, made.name_length);
        made.group = path_of_names(std::string_view{text}.substr(text.size() - made.cgroup_length));
        const std::string parting = made.name.starts_with('/') ? "" : "/";
        const auto path = std::filesystem::path{made.base + parting + made.name}.lexically_normal();
        made.path = path.has_filename() ? path : path.parent_path();
        const bool is_by_us = made.creator == ::getpid() || made.parent == ::getpid();
        if ((everything_ && is_by_us) || text.contains(folder_.string())) {
            ours_[made.header.time_ns] = made;
            created_.push_back(made);
        }
    }

public:
    /// Whatever is told from now on is ours, wherever it is, when we or our children have made it.
    void take_everything() { everything_ = true; }

private:
    BpfEvents events_;
    std::filesystem::path folder_;
    bool everything_{};
    std::vector<Created> created_;
    std::vector<egb_lock_touched> touched_;
    std::map<std::uint64_t, Created> ours_;
};

int open_exclusively(const std::filesystem::path& path, int at = AT_FDCWD) {
    return ::openat(at, path.c_str(), exclusive, 0600);
}

void make(const std::filesystem::path& path) {
    const Fd made{open_exclusively(path)};
    ASSERT_TRUE(made) << path << ": " << std::strerror(errno);
}

struct statx stat_of(const std::filesystem::path& path) {
    struct statx stat{};
    EXPECT_EQ(::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &stat), 0)
        << path;
    return stat;
}

std::uint64_t ns_of(const statx_timestamp& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

/// As the kernel has it.
std::uint32_t device_of(const struct statx& stat) {
    return stat.stx_dev_major << 20 | stat.stx_dev_minor;
}

/// Runs it in a process of its own; 0 when it was content.
int in_child(const std::function<int()>& deed) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::_exit(deed());
    }
    int status{};
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Our root becomes that of the mount namespace, which tests in a build root are not in.
bool leave_chroot() {
    const Fd outside{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const test::TempFolder below;
    if (::chroot(below.path().c_str()) != 0 || ::fchdir(outside.get()) != 0) {
        return false;
    }
    for (int up = 0; up < 64; ++up) {
        if (::chdir("..") != 0) {
            return false;
        }
    }
    return ::chroot(".") == 0;
}

class Mounted {
public:
    Mounted(const char* type, std::filesystem::path at, const std::string& options = {})
        : at_{std::move(at)} {
        std::filesystem::create_directories(at_);
        works_ = ::mount(type, at_.c_str(), type, 0, options.c_str()) == 0;
    }
    ~Mounted() {
        if (works_) {
            ::umount2(at_.c_str(), MNT_DETACH);
        }
    }
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;

    [[nodiscard]] bool works() const { return works_; }
    [[nodiscard]] const std::filesystem::path& path() const { return at_; }

private:
    std::filesystem::path at_;
    bool works_{};
};

/// One for all tests: where there is no virtualization, a kernel takes seconds to verify the programs.
Watch& one_watch() {
    static test::FakeFdStore store;
    static Watch watch{image(), store, {}};
    return watch;
}

class LockfileTest : public testing::Test {
protected:
    LockfileTest() : tmpfs_{"tmpfs", temp_.path() / "t"}, folder_{tmpfs_.path()} {
        EXPECT_TRUE(tmpfs_.works());
        watch_.begin(temp_.path());
        make(folder_ / "first.zlk");
        const auto first = watch_.created();
        EXPECT_THAT(first, SizeIs(1));
        const std::string path = folder_ / "first.zlk";
        root_ = first.empty() ? "" : first.front().path;
        EXPECT_THAT(root_, testing::EndsWith(path));
        root_.resize(root_.size() - path.size());
    }

    /// As its mount namespace has it.
    [[nodiscard]] std::string full(const std::filesystem::path& path) const { return root_ + path.string(); }

    /// As we have it.
    [[nodiscard]] std::filesystem::path path_of(const Created& one) const {
        return one.path.substr(root_.size());
    }

    [[nodiscard]] Created the_one() {
        const auto all = watch_.created();
        EXPECT_THAT(all, SizeIs(1));
        return all.empty() ? Created{} : all.front();
    }

    /// Made, told, and looked at: before that, a write within the same tick leaves its times as they are.
    [[nodiscard]] Created made(const std::filesystem::path& path) {
        make(path);
        std::ignore = stat_of(path);
        return the_one();
    }

    void expect_touched_once(const Created& file, const std::function<void()>& deed) {
        EXPECT_THAT(watch_.touched(), IsEmpty());
        deed();
        deed();
        const auto touched = watch_.touched();
        ASSERT_THAT(touched, SizeIs(1));
        EXPECT_EQ(touched.front().made_ns, file.header.time_ns);
        look(file);
        deed();
        EXPECT_THAT(watch_.touched(), SizeIs(1)) << "it was looked at meanwhile";
        look(file);
    }

    void look(const Created& file) {
        EXPECT_EQ(watch_.ask("egb_lock_looked", file), 0U);
        std::ignore = stat_of(path_of(file));
    }

    test::TempFolder temp_;
    Watch& watch_{one_watch()};
    Mounted tmpfs_;
    std::filesystem::path folder_;
    std::string root_; ///< what our root is in its mount namespace
};

TEST_F(LockfileTest, a_file_that_was_made_exclusively_is_told_with_all_that_is_known) {
    const auto path = folder_ / "a.zlk";
    const Created told = made(path);
    const auto stat = stat_of(path);
    EXPECT_EQ(told.path, full(path));
    EXPECT_EQ(told.way, EGB_LOCK_BY_OPEN);
    EXPECT_EQ(told.flags, root_.empty() ? 0 : EGB_LOCK_IS_CHROOTED);
    EXPECT_EQ(told.key.inode, stat.stx_ino);
    EXPECT_EQ(told.key.device, device_of(stat));
    EXPECT_EQ(told.changed_ns, ns_of(stat.stx_btime));
    EXPECT_EQ(told.file_system, static_cast<__u32>(TMPFS_MAGIC));
    EXPECT_EQ(told.uid, ::getuid());
    EXPECT_EQ(told.creator, ::getpid());
    EXPECT_EQ(told.inner_pid, ::getpid());
    EXPECT_EQ(told.parent, ::getppid());
    const ProcFs procfs{"/proc"};
    constexpr std::uint64_t tick = 10'000'000;
    EXPECT_EQ(told.creator_start_ns / tick, procfs.identity(::getpid())->start_ticks);
    EXPECT_EQ(told.parent_start_ns / tick, procfs.identity(::getppid())->start_ticks);
    EXPECT_EQ(formatted("mnt:[{}]", told.mount_namespace),
              std::filesystem::read_symlink("/proc/self/ns/mnt").string());
    EXPECT_EQ(std::string{told.comm}, "bpf_test");
}

TEST_F(LockfileTest, a_name_is_meant_from_where_it_was_looked_for) {
    const auto below = folder_ / "below";
    std::filesystem::create_directory(below);
    const Fd at{::open(below.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const Fd made{open_exclusively("at.zlk", at.get())};
    Created told = the_one();
    EXPECT_EQ(told.name, "at.zlk");
    EXPECT_EQ(told.base, full(below));
    EXPECT_EQ(in_child([&] {
                  return ::chdir(below.c_str()) + (open_exclusively("../up.zlk") < 0 ? 1 : 0);
              }),
              0);
    told = the_one();
    EXPECT_EQ(told.path, full(folder_ / "up.zlk"));
}

TEST_F(LockfileTest, all_that_fails_where_there_is_one_is_told) {
    const auto old = folder_ / "old";
    make(old);
    const auto in = [&](const char* name) {
        return (folder_ / name).string();
    };
    open_how how{};
    how.flags = O_CREAT | O_EXCL | O_WRONLY;
    how.mode = 0600;
    EXPECT_GE(::syscall(SYS_openat2, AT_FDCWD, in("2.zlk").c_str(), &how, sizeof(how)), 0);
    EXPECT_EQ(::symlink("host:12", in("4.zlk").c_str()), 0);
    EXPECT_EQ(::symlinkat("host:12", AT_FDCWD, in("5.zlk").c_str()), 0);
    EXPECT_EQ(::mkdir(in("6.zlk").c_str(), 0700), 0);
    EXPECT_EQ(::mkdirat(AT_FDCWD, in("7.zlk///").c_str(), 0700), 0);
    EXPECT_EQ(::link(old.c_str(), in("8.zlk").c_str()), 0);
    const Fd nameless{::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    EXPECT_EQ(::linkat(nameless.get(), "", AT_FDCWD, in("9.zlk").c_str(), AT_EMPTY_PATH), 0);
    EXPECT_EQ(::renameat2(AT_FDCWD, old.c_str(), AT_FDCWD, in("10.zlk").c_str(), RENAME_NOREPLACE), 0);
    const auto told = watch_.created();
    const auto is = [&](const char* name, int way) {
        return AllOf(is_at(full(in(name))), is_made_by(way));
    };
    EXPECT_THAT(told, ElementsAre(is("2.zlk", EGB_LOCK_BY_OPEN), is("4.zlk", EGB_LOCK_BY_SYMLINK),
                                  is("5.zlk", EGB_LOCK_BY_SYMLINK), is("6.zlk", EGB_LOCK_BY_MKDIR),
                                  is("7.zlk", EGB_LOCK_BY_MKDIR), is("8.zlk", EGB_LOCK_BY_LINK),
                                  is("9.zlk", EGB_LOCK_BY_LINK), is("10.zlk", EGB_LOCK_BY_RENAME)));
    for (const Created& one : told) {
        EXPECT_EQ(one.key.inode, stat_of(path_of(one)).stx_ino) << one.path;
    }
    EXPECT_EQ(told.back().changed_ns, ns_of(stat_of(path_of(told.back())).stx_ctime));
}

TEST_F(LockfileTest, a_node_that_is_a_file_is_told_where_registers_are_read) {
    const auto path = folder_ / "node.zlk";
    EXPECT_EQ(::mknod(path.c_str(), S_IFREG | 0600, 0), 0);
    const auto told = watch_.created();
    if (mechanism().goes_by_registers) {
        EXPECT_THAT(told, ElementsAre(AllOf(is_at(full(path)), is_made_by(EGB_LOCK_BY_OPEN))));
    } else {
        EXPECT_THAT(told, IsEmpty());
    }
}

TEST_F(LockfileTest, a_shell_that_does_not_clobber_is_told) {
    const auto path = folder_ / "shell.zlk";
    EXPECT_EQ(in_child([&] {
                  ::execl("/bin/bash", "bash", "-c", "set -C; echo $$ > \"$0\"", path.c_str(), nullptr);
                  return 127;
              }),
              0);
    const Created told = the_one();
    EXPECT_EQ(told.path, full(path));
    EXPECT_EQ(std::string{told.comm}, "bash");
    EXPECT_EQ(told.parent, ::getpid());
}

TEST_F(LockfileTest, what_would_have_opened_another_ones_file_is_not_told) {
    const auto path = folder_ / "plain.zlk";
    EXPECT_GE(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), 0);
    EXPECT_GE(::creat((folder_ / "creat.zlk").c_str(), 0600), 0);
    open_how how{};
    how.flags = O_CREAT | O_WRONLY;
    how.mode = 0600;
    EXPECT_GE(::syscall(SYS_openat2, AT_FDCWD, (folder_ / "2.zlk").c_str(), &how, sizeof(how)), 0);
    EXPECT_EQ(::rename(path.c_str(), (folder_ / "r.zlk").c_str()), 0);
    EXPECT_EQ(::mkfifo((folder_ / "fifo.zlk").c_str(), 0600), 0);
    EXPECT_THAT(watch_.created(), IsEmpty());
}

TEST_F(LockfileTest, a_contender_that_comes_too_late_is_not_told) {
    const auto path = folder_ / "taken.zlk";
    const auto other = folder_ / "other";
    const Created first = made(path);
    make(other);
    EXPECT_EQ(open_exclusively(path), -1);
    EXPECT_EQ(::mkdir(path.c_str(), 0700), -1);
    EXPECT_EQ(::symlink("x", path.c_str()), -1);
    EXPECT_EQ(::link(other.c_str(), path.c_str()), -1);
    EXPECT_EQ(::renameat2(AT_FDCWD, other.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE), -1);
    EXPECT_THAT(watch_.created(), IsEmpty());
    EXPECT_THAT(watch_.touched(), IsEmpty());
    EXPECT_EQ(watch_.state(first).flags, 0U);
}

TEST_F(LockfileTest, the_longest_pattern_decides) {
    make(folder_ / "Cargo.zlk");
    make(folder_ / "my.Cargo.zlk");
    make(folder_ / "azlk-whole");
    make(folder_ / "zlk");
    make(folder_ / "x.zlk.1");
    EXPECT_THAT(watch_.created(), IsEmpty()) << "Cargo.zlk is a pattern, too, and not a whole name";
    make(folder_ / "argo.zlk");
    make(folder_ / ".zlk");
    make(folder_ / "zlk-whole");
    make(folder_ / (std::string(200, 'x') + ".zlk"));
    EXPECT_THAT(watch_.created(), SizeIs(4));
    EXPECT_EQ(in_child([&] {
                  return ::chdir(folder_.c_str()) + ::unlink("zlk-whole") +
                         (open_exclusively("zlk-whole") < 0 ? 1 : 0);
              }),
              0);
    EXPECT_EQ(the_one().name, "zlk-whole");
}

TEST_F(LockfileTest, what_is_done_to_it_is_told_once_until_one_looks) {
    const auto path = folder_ / "a.zlk";
    const Created file = made(path);
    const Fd open{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (mechanism().sees_contents) {
        expect_touched_once(file, [&] {
            EXPECT_EQ(::write(open.get(), "1", 1), 1);
        });
        expect_touched_once(file, [&] {
            EXPECT_EQ(::fchmod(open.get(), 0640), 0);
        });
    }
    expect_touched_once(file, [&] {
        EXPECT_EQ(::rename(path.c_str(), (folder_ / "b.zlk").c_str()), 0);
        EXPECT_EQ(::rename((folder_ / "b.zlk").c_str(), path.c_str()), 0);
    });
    EXPECT_EQ(watch_.state(file).flags, static_cast<__u32>(EGB_LOCK_IS_TOUCHED));
    EXPECT_EQ(watch_.state(file).changed_ns, ns_of(stat_of(path).stx_ctime));
    EXPECT_EQ(::unlink(path.c_str()), 0);
    EXPECT_THAT(watch_.touched(), SizeIs(1));
}

TEST_F(LockfileTest, that_it_goes_is_told_however_it_goes) {
    const auto over = folder_ / "over";
    const auto path = folder_ / "a.zlk";
    make(over);
    std::ignore = made(path);
    EXPECT_EQ(::rename(over.c_str(), path.c_str()), 0);
    EXPECT_THAT(watch_.touched(), SizeIs(1)) << "another one took its name";
    EXPECT_EQ(::mkdir((folder_ / "d.zlk").c_str(), 0700), 0);
    std::ignore = the_one();
    EXPECT_EQ(::rmdir((folder_ / "d.zlk").c_str()), 0);
    EXPECT_THAT(watch_.touched(), SizeIs(1));
    EXPECT_EQ(::symlink("x", (folder_ / "s.zlk").c_str()), 0);
    std::ignore = the_one();
    EXPECT_EQ(::unlink((folder_ / "s.zlk").c_str()), 0);
    EXPECT_THAT(watch_.touched(), SizeIs(1));
}

TEST_F(LockfileTest, that_it_is_used_for_an_advisory_lock_is_told) {
    const auto path = folder_ / "a.zlk";
    const Created flocked = made(path);
    const Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    EXPECT_EQ(::flock(file.get(), LOCK_UN), 0);
    EXPECT_EQ(watch_.state(flocked).flags, 0U);
    EXPECT_EQ(::flock(file.get(), LOCK_EX), 0);
    auto touched = watch_.touched();
    ASSERT_THAT(touched, SizeIs(1));
    EXPECT_TRUE(touched.front().flags & EGB_LOCK_IS_ADVISORY);
    const auto other = folder_ / "b.zlk";
    const Created fcntled = made(other);
    const Fd second{::open(other.c_str(), O_RDWR | O_CLOEXEC)};
    struct flock lock{};
    lock.l_type = F_WRLCK;
    EXPECT_EQ(::fcntl(second.get(), F_GETLK, &lock), 0);
    EXPECT_EQ(watch_.state(fcntled).flags, 0U) << "it was only asked for";
    lock.l_type = F_WRLCK;
    EXPECT_EQ(::fcntl(second.get(), F_SETLK, &lock), 0);
    touched = watch_.touched();
    ASSERT_THAT(touched, SizeIs(1));
    EXPECT_TRUE(touched.front().flags & EGB_LOCK_IS_ADVISORY);
}

TEST_F(LockfileTest, a_forgotten_file_is_told_of_no_more) {
    const auto path = folder_ / "a.zlk";
    const Created file = made(path);
    EXPECT_EQ(watch_.ask("egb_lock_forget", file), 0U);
    const auto other = folder_ / "b.zlk";
    EXPECT_EQ(::rename(path.c_str(), other.c_str()), 0);
    EXPECT_THAT(watch_.touched(), IsEmpty());
    EXPECT_EQ(watch_.ask("egb_lock_looked", file), 1U);
    EXPECT_EQ(watch_.ask("egb_lock_watch", file), 0U) << "as one that was remembered from before";
    EXPECT_EQ(::rename(other.c_str(), path.c_str()), 0);
    EXPECT_THAT(watch_.touched(), SizeIs(1));
}

/// The same inode number, and within the same tick also the same birth.
TEST_F(LockfileTest, one_that_takes_the_inode_of_another_is_another) {
    for (const auto& folder : {folder_, std::filesystem::current_path()}) {
        const auto path = folder / "again.zlk";
        ::unlink(path.c_str());
        watch_.take_everything();
        const Created first = made(path);
        EXPECT_EQ(::unlink(path.c_str()), 0);
        const Created second = made(path);
        EXPECT_EQ(watch_.state(second).made_ns, second.header.time_ns);
        if (second.key.inode == first.key.inode) {
            EXPECT_NE(first.header.time_ns, second.header.time_ns);
            EXPECT_EQ(watch_.ask("egb_lock_forget", first), 0U);
            EXPECT_EQ(watch_.state(second).made_ns, second.header.time_ns) << "it was not meant";
        }
        EXPECT_EQ(::unlink(path.c_str()), 0);
        std::ignore = watch_.touched();
        EXPECT_EQ(watch_.ask("egb_lock_looked", second), 0U);
        const Fd other{::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)};
        if (stat_of(path).stx_ino == second.key.inode) {
            EXPECT_THAT(watch_.touched(), SizeIs(1));
            EXPECT_TRUE(watch_.state(second).flags & EGB_LOCK_IS_REMADE);
        }
        ::unlink(path.c_str());
    }
}

TEST_F(LockfileTest, the_creator_is_the_process_and_not_its_thread) {
    std::thread{[&] {
        make(folder_ / "a.zlk");
    }}.join();
    const Created told = the_one();
    EXPECT_EQ(told.creator, ::getpid());
    EXPECT_EQ(told.parent, ::getppid());
}

/// A control group, with others within each other, for as long as the test takes.
class Groups {
public:
    explicit Groups(int depth) : path_{formatted("/egb-test-{}", ::getpid())} {
        top_ = std::filesystem::exists("/sys/fs/cgroup/unified/cgroup.procs") ? "/sys/fs/cgroup/unified"
                                                                              : "/sys/fs/cgroup";
        for (int level = 1; level < depth; ++level) {
            path_ += formatted("/{}.slice", level);
        }
        std::filesystem::create_directories(top_ + path_);
    }
    ~Groups() {
        for (std::filesystem::path at{path_}; at != "/"; at = at.parent_path()) {
            ::rmdir((top_ + at.string()).c_str());
        }
    }
    Groups(const Groups&) = delete;
    Groups& operator=(const Groups&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    /// In a process there that is gone when this returns.
    [[nodiscard]] int run(const std::function<int()>& deed) const {
        return in_child([&] {
            const Fd members{::open((top_ + path_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC)};
            return ::write(members.get(), "0", 1) == 1 ? deed() : errno;
        });
    }

private:
    std::string top_;
    std::string path_;
};

TEST_F(LockfileTest, of_a_creator_who_is_gone_the_control_group_is_known) {
    const Groups groups{3};
    const auto path = folder_ / "a.zlk";
    ASSERT_EQ(groups.run([&] {
        return open_exclusively(path) < 0 ? errno : 0;
    }),
              0);
    const Created told = the_one();
    EXPECT_EQ(told.path, full(path));
    EXPECT_EQ(told.group, groups.path());
}

TEST_F(LockfileTest, one_that_is_too_deep_is_not_told) {
    const Groups groups{EGB_LOCK_CGROUP_LEVELS + 2};
    ASSERT_EQ(groups.run([&] {
        return open_exclusively(folder_ / "a.zlk") < 0 ? errno : 0;
    }),
              0);
    EXPECT_EQ(the_one().group, "/");
}

TEST_F(LockfileTest, names_are_bytes) {
    const std::string odd = "new\nline \xff\xfe\x80 \x01.zlk";
    const auto below = folder_ / "un\xc3gly\n";
    std::filesystem::create_directory(below);
    const Fd at{::open(below.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    EXPECT_TRUE(Fd{open_exclusively(odd, at.get())});
    const Created told = the_one();
    EXPECT_EQ(told.name, odd);
    EXPECT_EQ(told.base, full(below));
}

TEST_F(LockfileTest, a_base_that_is_too_long_is_said_to_be) {
    const std::string part(200, 'p');
    Fd at{::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    auto expected = full(folder_);
    bool cut = false;
    while (expected.size() < 6000) {
        ASSERT_EQ(::mkdirat(at.get(), part.c_str(), 0700), 0);
        at = Fd{::openat(at.get(), part.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
        expected += "/" + part;
        ASSERT_TRUE(Fd{open_exclusively("deep.zlk", at.get())});
        const auto told = watch_.created();
        cut = expected.size() > 4095;
        if (!cut) {
            ASSERT_THAT(told, SizeIs(1));
            EXPECT_EQ(told.front().base, expected);
            EXPECT_FALSE(told.front().flags & EGB_LOCK_PATH_CUT);
            watch_.take_everything(); // there will be no folder to know it by
        } else if (!told.empty()) {
            EXPECT_EQ(told.front().base, "");
            EXPECT_TRUE(told.front().flags & EGB_LOCK_PATH_CUT);
        }
    }
    EXPECT_TRUE(cut);
    std::string name;
    while (name.size() + 4 < 4095) {
        name += "./";
    }
    name.resize(4095 - 6);
    name += name.ends_with('/') ? "xx.zlk" : "/x.zlk";
    ASSERT_EQ(name.size(), 4095U);
    EXPECT_TRUE(Fd{open_exclusively(name, at.get())});
    EXPECT_THAT(the_one().name, testing::AnyOf(name, name.substr(name.rfind('/') + 1)));
}

TEST_F(LockfileTest, many_folders_are_no_trouble) {
    Fd at{::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    auto expected = full(folder_);
    for (int depth = 0; depth < 800; ++depth) {
        ASSERT_EQ(::mkdirat(at.get(), "d", 0700), 0);
        at = Fd{::openat(at.get(), "d", O_PATH | O_DIRECTORY | O_CLOEXEC)};
        expected += "/d";
    }
    EXPECT_TRUE(Fd{open_exclusively("a.zlk", at.get())});
    EXPECT_EQ(the_one().base, expected);
}

TEST_F(LockfileTest, a_path_is_as_its_own_mount_namespace_has_it) {
    const auto root = folder_ / "newroot";
    std::filesystem::create_directory(root);
    const auto outside = full(root);
    watch_.take_everything();
    EXPECT_EQ(in_child([&] {
                  const bool inside = ::unshare(CLONE_NEWNS) == 0 && leave_chroot() &&
                                      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                                      ::mount("t", outside.c_str(), "tmpfs", 0, nullptr) == 0 &&
                                      ::chdir(outside.c_str()) == 0 && ::mkdir("in", 0700) == 0 &&
                                      ::syscall(SYS_pivot_root, ".", ".") == 0 &&
                                      ::umount2(".", MNT_DETACH) == 0 && ::chdir("/in") == 0;
                  if (!inside) {
                      return errno;
                  }
                  return open_exclusively("r.zlk") < 0 || open_exclusively("/in/a.zlk") < 0 ? 1 : 0;
              }),
              0);
    const auto told = watch_.created();
    ASSERT_THAT(told, SizeIs(2));
    EXPECT_EQ(told[0].path, "/in/r.zlk");
    EXPECT_EQ(told[0].flags, EGB_LOCK_BY_FORK);
    EXPECT_EQ(told[1].path, "/in/a.zlk");
    EXPECT_EQ(told[1].flags, EGB_LOCK_BY_FORK);
    EXPECT_NE(formatted("mnt:[{}]", told[0].mount_namespace),
              std::filesystem::read_symlink("/proc/self/ns/mnt").string());
}

TEST_F(LockfileTest, a_changed_root_is_told) {
    const auto root = folder_ / "root";
    std::filesystem::create_directory(root);
    const Fd outside{::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    EXPECT_EQ(in_child([&] {
                  if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0) {
                      return 1;
                  }
                  return open_exclusively("/a.zlk") < 0 || open_exclusively("r.zlk") < 0 ||
                                 open_exclusively("o.zlk", outside.get()) < 0
                             ? 1
                             : 0;
              }),
              0);
    const auto told = watch_.created();
    ASSERT_THAT(told, SizeIs(3));
    EXPECT_EQ(told[0].path, full(root / "a.zlk"));
    EXPECT_EQ(told[1].path, full(root / "r.zlk"));
    EXPECT_EQ(told[2].path, full(folder_ / "o.zlk"));
    for (const Created& one : told) {
        EXPECT_EQ(one.flags, EGB_LOCK_IS_CHROOTED | EGB_LOCK_BY_FORK);
    }
}

TEST_F(LockfileTest, a_name_may_be_meant_from_a_root_of_its_own) {
    const Fd at{::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    open_how how{};
    how.flags = O_CREAT | O_EXCL | O_WRONLY;
    how.mode = 0600;
    how.resolve = RESOLVE_IN_ROOT;
    EXPECT_GE(::syscall(SYS_openat2, at.get(), "/a.zlk", &how, sizeof(how)), 0);
    EXPECT_EQ(the_one().path, full(folder_ / "a.zlk"));
}

TEST_F(LockfileTest, on_overlayfs_it_is_the_file_of_the_upper_layer) {
    for (const char* part : {"lower", "upper", "work"}) {
        std::filesystem::create_directory(folder_ / part);
    }
    std::filesystem::create_directory(folder_ / "lower" / "d");
    make(folder_ / "lower" / "d" / "there.zlk");
    std::ignore = watch_.created();
    const Mounted overlay{
        "overlay", folder_ / "merged",
        formatted("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", folder_.string())};
    ASSERT_TRUE(overlay.works());
    const auto path = overlay.path() / "d" / "a.zlk";
    EXPECT_EQ(open_exclusively(overlay.path() / "d" / "there.zlk"), -1);
    EXPECT_THAT(watch_.created(), IsEmpty());
    const Created told = made(path);
    EXPECT_EQ(told.path, full(path));
    const auto upper = stat_of(folder_ / "upper" / "d" / "a.zlk");
    EXPECT_EQ(told.key.inode, upper.stx_ino);
    EXPECT_EQ(told.key.device, device_of(upper));
    EXPECT_EQ(stat_of(path).stx_ino, upper.stx_ino);
    EXPECT_EQ(told.changed_ns, ns_of(stat_of(path).stx_btime));
    const Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    EXPECT_EQ(::flock(file.get(), LOCK_EX), 0);
    EXPECT_TRUE(watch_.state(told).flags & EGB_LOCK_IS_ADVISORY);
    std::ignore = watch_.touched();
    look(told);
    EXPECT_EQ(::unlink(path.c_str()), 0);
    EXPECT_THAT(watch_.touched(), SizeIs(1));
    EXPECT_EQ(::unlink((overlay.path() / "d" / "there.zlk").c_str()), 0);
    std::ignore = made(overlay.path() / "d" / "there.zlk");
    EXPECT_EQ(::mkdir((overlay.path() / "dir.zlk").c_str(), 0700), 0);
    EXPECT_EQ(the_one().way, EGB_LOCK_BY_MKDIR);
}

TEST_F(LockfileTest, who_does_not_speak_for_himself_is_told_where_no_registers_are_read) {
    const auto inlined = folder_ / "i.zlk";
    const auto queued = folder_ / "q.zlk";
    if (const int error = test::open_by_io_uring(inlined, exclusive, 0); error < 0) {
        GTEST_SKIP() << "no io_uring: " << std::strerror(-error);
    }
    EXPECT_GE(test::open_by_io_uring(queued, exclusive, IOSQE_ASYNC), 0);
    EXPECT_TRUE(std::filesystem::exists(inlined) && std::filesystem::exists(queued));
    const auto told = watch_.created();
    if (mechanism().goes_by_registers) {
        EXPECT_THAT(told, IsEmpty());
        return;
    }
    EXPECT_THAT(told, ElementsAre(is_at(full(inlined)), is_at(full(queued))));
    for (const Created& one : told) {
        EXPECT_EQ(one.creator, ::getpid());
    }
}

TEST_F(LockfileTest, a_32_bit_call_is_told_where_no_registers_are_read) {
    const auto path = folder_ / "32.zlk";
    for (const auto call :
         {test::Call32::mkdir, test::Call32::creat}) { // as creat's number open would be read
        const int result = test::call_by_32_bits(call, path);
        if (result == -ENOSYS) {
            GTEST_SKIP() << "no 32-bit calls here";
        }
        EXPECT_GE(result, 0);
        std::filesystem::remove_all(path);
    }
    const auto told = watch_.created();
    if (mechanism().goes_by_registers) {
        EXPECT_THAT(told, IsEmpty());
    } else {
        EXPECT_THAT(told, ElementsAre(AllOf(is_at(full(path)), is_made_by(EGB_LOCK_BY_MKDIR))));
    }
}

/// One who does not speak for himself, and what he does to a lock that is there; less than 0: the error.
struct Taker {
    const char* name;
    int (*remove)(const std::filesystem::path&);
    int (*make)(const std::filesystem::path&);
    int (*empty)(const std::filesystem::path&);
};

template <unsigned request_flags>
constexpr Taker taker_by_io_uring(const char* name) {
    return {.name = name,
            .remove =
                [](const std::filesystem::path& path) {
                    return test::unlink_by_io_uring(path, request_flags);
                },
            .make =
                [](const std::filesystem::path& path) {
                    return test::open_by_io_uring(path, exclusive, request_flags);
                },
            .empty =
                [](const std::filesystem::path& path) {
                    return test::open_by_io_uring(path, O_WRONLY | O_TRUNC | O_CLOEXEC, request_flags);
                }};
}

int create_by_32_bits(const std::filesystem::path& path) {
    return test::call_by_32_bits(test::Call32::creat, path);
}

int unlink_by_32_bits(const std::filesystem::path& path) {
    return test::call_by_32_bits(test::Call32::unlink, path);
}

constexpr std::array takers{
    taker_by_io_uring<0>("IoUring"),
    taker_by_io_uring<IOSQE_ASYNC>("IoUringWorker"),
    Taker{"Bits32", unlink_by_32_bits, create_by_32_bits, create_by_32_bits},
};

class LockfileTakenBy : public LockfileTest, public testing::WithParamInterface<Taker> {
protected:
    /// Why he cannot do it here; empty when he can.
    [[nodiscard]] static std::string lack() {
        const test::TempFolder folder;
        const Fd made{GetParam().make(folder.path() / "probe")};
        return made ? "" : std::strerror(-made.get());
    }

    /// Within one, times stay as they are where the kernel has none that are finer.
    static void pass_a_tick() { std::this_thread::sleep_for(std::chrono::milliseconds{20}); }

    /// He removes the lock and makes it again; the inode that it has then.
    [[nodiscard]] static std::uint64_t taken_again(const std::filesystem::path& path) {
        EXPECT_EQ(GetParam().remove(path), 0);
        const Fd second{GetParam().make(path)};
        EXPECT_TRUE(second);
        return stat_of(path).stx_ino;
    }
};

/// Where it has the same inode number, that is another file; else the first one has gone, which is told.
TEST_P(LockfileTakenBy, one_that_is_taken_again_is_not_taken_for_the_first) {
    if (const std::string why = lack(); !why.empty()) {
        GTEST_SKIP() << why;
    }
    for (const auto& folder : {folder_, std::filesystem::current_path()}) {
        const auto path = folder / "unseen.zlk";
        ::unlink(path.c_str());
        watch_.take_everything();
        std::ignore = watch_.touched();
        const Created first = made(path);
        const bool is_same_number = taken_again(path) == first.key.inode;
        if (const auto told = watch_.created(); mechanism().goes_by_registers) {
            EXPECT_THAT(told, IsEmpty());
        }
        if (is_same_number) {
            const auto known = watch_.state(first);
            EXPECT_TRUE(known.made_ns != first.header.time_ns || (known.flags & EGB_LOCK_IS_REMADE) != 0);
        }
        EXPECT_THAT(watch_.touched(), SizeIs(1));
        ::unlink(path.c_str());
    }
}

TEST_P(LockfileTakenBy, one_that_is_emptied_has_changed) {
    if (const std::string why = lack(); !why.empty()) {
        GTEST_SKIP() << why;
    }
    const auto path = folder_ / "over.zlk";
    const Created file = made(path);
    EXPECT_EQ(::truncate(path.c_str(), 5), 0);
    look(file);
    std::ignore = watch_.touched();
    const auto before = ns_of(stat_of(path).stx_ctime);
    pass_a_tick();
    const auto begun = static_cast<std::uint64_t>(host::MonotonicClock{}.now().time_since_epoch().count());
    const Fd second{GetParam().empty(path)};
    EXPECT_TRUE(second);
    EXPECT_EQ(stat_of(path).stx_size, 0U);
    EXPECT_NE(ns_of(stat_of(path).stx_ctime), before) << "which the next look finds, whoever tells or not";
    if (mechanism().sees_contents) {
        EXPECT_THAT(watch_.touched(), SizeIs(1));
        EXPECT_EQ(watch_.state(file).changed_ns, ns_of(stat_of(path).stx_ctime));
        EXPECT_FALSE(watch_.state(file).flags & EGB_LOCK_IS_REMADE);
        EXPECT_GE(watch_.state(file).touched_ns, begun) << "later than its ctime may say";
    } else {
        EXPECT_EQ(watch_.state(file).touched_ns, 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(, LockfileTakenBy, testing::ValuesIn(takers), [](const auto& one) {
    return std::string{one.param.name};
});

/// Each has a way of its own to give an inode its number, its device and its birth.
class LockfileOn : public LockfileTest, public testing::WithParamInterface<const char*> {};

TEST_P(LockfileOn, an_inode_is_what_stat_says) {
    const std::string type = GetParam();
    const auto disk = folder_ / "disk";
    const std::string make_it =
        formatted("truncate -s 320M {0} && mkfs.{1} -q {0} && mkdir {0}.d && mount -o loop {0} {0}.d",
                  disk.string(), type);
    if (::system(formatted("( {} ) >/dev/null 2>&1", make_it).c_str()) != 0) {
        GTEST_SKIP() << "no " << type << " can be made and mounted here";
    }
    const auto inside = folder_ / "disk.d";
    make(inside / "a.zlk");
    EXPECT_EQ(::mkdir((inside / "b.zlk").c_str(), 0700), 0);
    EXPECT_EQ(::symlink("x", (inside / "c.zlk").c_str()), 0);
    EXPECT_EQ(::link((inside / "a.zlk").c_str(), (inside / "d.zlk").c_str()), 0);
    const auto told = watch_.created();
    EXPECT_THAT(told, SizeIs(4));
    for (const Created& one : told) {
        const auto stat = stat_of(path_of(one));
        EXPECT_EQ(one.key.inode, stat.stx_ino) << one.path;
        EXPECT_EQ(one.key.device, device_of(stat)) << one.path;
        EXPECT_EQ(one.changed_ns, ns_of(one.way == EGB_LOCK_BY_LINK ? stat.stx_ctime : stat.stx_btime));
        EXPECT_EQ(watch_.ask("egb_lock_looked", one), 0U);
    }
    std::ignore = watch_.touched();
    EXPECT_EQ(::unlink((inside / "d.zlk").c_str()), 0);
    EXPECT_THAT(watch_.touched(), SizeIs(1));
    // Read anew from the disk, by one whose call fails.
    for (const Created& one : told) {
        EXPECT_EQ(watch_.ask("egb_lock_forget", one), 0U);
    }
    EXPECT_EQ(::system(formatted("umount {0}.d && mount -o loop {0} {0}.d", disk.string()).c_str()), 0);
    EXPECT_EQ(open_exclusively(inside / "a.zlk"), -1);
    EXPECT_EQ(::mkdir((inside / "b.zlk").c_str(), 0700), -1);
    EXPECT_EQ(::symlink("x", (inside / "c.zlk").c_str()), -1);
    EXPECT_THAT(watch_.created(), IsEmpty());
    EXPECT_EQ(::umount2(inside.c_str(), MNT_DETACH), 0);
}

INSTANTIATE_TEST_SUITE_P(, LockfileOn, testing::Values("ext4", "btrfs", "xfs"), [](const auto& one) {
    return std::string{one.param};
});

TEST_F(LockfileTest, what_finds_no_room_in_the_ring_is_a_loss) {
    test::FakeFdStore store;
    Watch tiny{tiny_image(), store, folder_};
    const auto before = tiny.events().lost();
    const auto deep = folder_ / std::string(200, 'p');
    auto path = deep;
    while (path.native().size() < 3000) {
        path /= deep.filename();
    }
    std::filesystem::create_directories(path);
    for (int round = 0; round < 2; ++round) {
        make(path / "long.zlk");
        EXPECT_EQ(::unlink((path / "long.zlk").c_str()), 0);
    }
    EXPECT_GT(tiny.events().lost(), before);
    EXPECT_THAT(tiny.created(), SizeIs(1));
    EXPECT_TRUE(tiny.touched().size() <= 1);
}

TEST_F(LockfileTest, what_finds_no_room_among_the_watched_is_not_told_and_no_loss) {
    test::FakeFdStore store;
    Watch tiny{tiny_image(), store, folder_};
    const auto before = tiny.events().lost();
    for (int at = 0; at < 5; ++at) {
        make(folder_ / formatted("{}.zlk", at));
    }
    EXPECT_THAT(tiny.created(), SizeIs(4));
    EXPECT_EQ(tiny.events().lost(), before);
    egb_lock_query query{};
    query.key.inode = 1;
    EXPECT_EQ(tiny.ask("egb_lock_watch", query), 1U);
}

TEST_F(LockfileTest, what_is_watched_outlives_the_daemon) {
    test::FakeFdStore store;
    Watch watch{image(), store, temp_.path()};
    const auto path = folder_ / "a.zlk";
    make(path);
    const auto file = watch.created();
    ASSERT_THAT(file, SizeIs(1));
    const auto between = folder_ / "between.zlk";
    make(between);
    Watch successor{image(), store, temp_.path()};
    EXPECT_THAT(successor.created(), ElementsAre(is_at(full(between))));
    EXPECT_EQ(successor.state(file.front()).made_ns, file.front().header.time_ns);
    // Both are attached by now.
    make(folder_ / "both.zlk");
    EXPECT_THAT(successor.created(), SizeIs(1));
    EXPECT_EQ(::unlink((folder_ / "both.zlk").c_str()), 0);
    EXPECT_THAT(successor.touched(), SizeIs(1));
}

TEST_F(LockfileTest, patterns_are_replaced_as_a_whole) {
    const std::array keys{test::pattern_of(".zlk2"), test::pattern_of(".zlk")};
    const std::array<__u32, 2> verdicts{EGB_LOCK_WANTED, EGB_LOCK_UNWANTED};
    EXPECT_TRUE(watch_.events().replace("egb_lock_patterns", std::as_bytes(std::span{keys}),
                                        std::as_bytes(std::span{verdicts})));
    make(folder_ / "a.zlk");
    EXPECT_EQ(::mkdir((folder_ / "zlk-whole").c_str(), 0700), 0);
    EXPECT_THAT(watch_.created(), IsEmpty());
    make(folder_ / "a.zlk2");
    EXPECT_THAT(watch_.created(), SizeIs(1));
    EXPECT_TRUE(watch_.events().replace("egb_lock_patterns", {}, {}));
    make(folder_ / "b.zlk2");
    EXPECT_THAT(watch_.created(), IsEmpty());
    EXPECT_FALSE(watch_.events().replace("no_such_map", {}, {}));
}

} // namespace
} // namespace egb::host
