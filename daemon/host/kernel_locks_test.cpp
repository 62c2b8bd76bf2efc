// SPDX-License-Identifier: Apache-2.0
#include "host/kernel_locks.hpp"

#include "harness/fake_procfs.hpp"
#include "harness/temp_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace egb::host {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::IsEmpty;

std::vector<Holder> holder(std::int32_t pid, int fd) {
    auto process = std::make_shared<Process>();
    process->id.pid = pid;
    return {{.process = process, .fd = fd}};
}

TEST(KernelLocksTest, reads_the_lines_of_the_kernel) {
    EXPECT_EQ(parse_kernel_lock("1: POSIX  ADVISORY  WRITE 4711 fd:01:123 0 EOF"),
              (KernelLock{.type = "POSIX",
                          .access = "WRITE",
                          .pid = 4711,
                          .file = {.device = makedev(0xfd, 1), .inode = 123}}));
    const auto waiting = parse_kernel_lock("12: -> FLOCK  ADVISORY  READ 12 00:1a:7 0 EOF");
    ASSERT_TRUE(waiting);
    EXPECT_TRUE(waiting->waits);
    EXPECT_EQ(waiting->type, "FLOCK");
    EXPECT_EQ(waiting->file, (FileNumber{.device = makedev(0, 0x1a), .inode = 7}));
    EXPECT_EQ(parse_kernel_lock("3: OFDLCK ADVISORY  WRITE -1 fd:01:9 0 EOF")->pid, 0);
    EXPECT_EQ(parse_kernel_lock("4: LEASE  ACTIVE    READ 5 fd:01:9 0 EOF")->type, "LEASE");
    EXPECT_FALSE(parse_kernel_lock(""));
    EXPECT_FALSE(parse_kernel_lock("1: POSIX ADVISORY WRITE x fd:01:9 0 EOF"));
    EXPECT_FALSE(parse_kernel_lock("1: POSIX ADVISORY WRITE 1 nonsense 0 EOF"));
}

/// On the kernel, with locks that somebody really has.
class KernelLocksOnAFile : public testing::Test {
protected:
    /// A descriptor as others who look have it.
    [[nodiscard]] Fd look() const { return Fd{::open(path_.c_str(), O_PATH | O_CLOEXEC)}; }

    test::TempFolder folder_;
    const std::string path_{folder_.write("x.lock", "")};
    const Fd ours_{::open(path_.c_str(), O_RDWR | O_CLOEXEC)};
    const ProcFs procfs_{"/proc"};
};

TEST_F(KernelLocksOnAFile, finds_none_where_there_is_none) {
    EXPECT_THAT(locks_on(procfs_, look().get(), holder(::getpid(), ours_.get())).value(), IsEmpty());
}

TEST_F(KernelLocksOnAFile, finds_a_lock_by_its_holder) {
    ASSERT_EQ(::flock(ours_.get(), LOCK_SH), 0);
    const auto locks = locks_on(procfs_, look().get(), holder(::getpid(), ours_.get()));
    EXPECT_THAT(locks.value(),
                Contains(AllOf(Field(&KernelLock::type, "FLOCK"), Field(&KernelLock::access, "READ"),
                               Field(&KernelLock::pid, ::getpid()))));
}

TEST_F(KernelLocksOnAFile, names_the_heir_and_not_the_dead_who_took_it) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(::flock(ours_.get(), LOCK_EX));
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    const auto locks = locks_on(procfs_, look().get(), holder(::getpid(), ours_.get()));
    EXPECT_THAT(locks.value(),
                Contains(AllOf(Field(&KernelLock::type, "FLOCK"), Field(&KernelLock::pid, ::getpid()))));
}

TEST_F(KernelLocksOnAFile, finds_a_lease) {
    ASSERT_EQ(::fcntl(ours_.get(), F_SETLEASE, F_WRLCK), 0);
    const auto locks = locks_on(procfs_, look().get(), holder(::getpid(), ours_.get()));
    EXPECT_THAT(locks.value(), Contains(Field(&KernelLock::type, "LEASE")));
}

/// The kernel's list, made up.
TEST(KernelLocksInAList, finds_those_of_the_file_whom_no_descriptor_has) {
    const test::TempFolder folder;
    const Fd file{::open(folder.write("x", "").c_str(), O_RDONLY | O_CLOEXEC)};
    const auto id = file_number(file.get()).value();
    const test::FakeProcFs tree;
    const auto line = [](unsigned long device, std::uint64_t inode, const char* type) {
        std::array<char, 100> text{};
        std::snprintf(text.data(), text.size(), "1: %s ADVISORY WRITE 7 %02x:%02x:%lu 0 EOF\n", type,
                      major(device), minor(device), inode);
        return std::string{text.data()};
    };
    tree.write("locks", line(id.device, id.inode, "FLOCK") + line(id.device, id.inode + 1, "POSIX"));
    tree.add({.pid = 8});
    tree.write("8/fdinfo/3", "pos:\t0\nlock:\t" + line(id.device, id.inode, "FLOCK"));
    const ProcFs procfs{tree.root()};
    EXPECT_THAT(locks_on(procfs, file.get(), {}).value(),
                testing::ElementsAre(AllOf(Field(&KernelLock::type, "FLOCK"), Field(&KernelLock::pid, 7))));
    EXPECT_THAT(locks_on(procfs, file.get(), holder(8, 3)).value(),
                testing::ElementsAre(AllOf(Field(&KernelLock::type, "FLOCK"), Field(&KernelLock::pid, 8))));
}

} // namespace
} // namespace egb::host
