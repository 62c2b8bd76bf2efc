// SPDX-License-Identifier: Apache-2.0
#include "host/procfs.hpp"

#include "core/format.hpp"
#include "harness/fake_procfs.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace egb::host {

namespace {

using test::FakeProcFs;

TEST(ProcFs, ReadsTheBootId) {
    const FakeProcFs tree;
    EXPECT_EQ(ProcFs{tree.root()}.boot_id(), FakeProcFs::boot_id);
}

TEST(ProcFs, IsNothingWithoutATree) {
    const test::TempFolder empty;
    EXPECT_THROW(ProcFs{empty.path() / "nowhere"}, std::runtime_error);
    EXPECT_THROW(ProcFs{empty.path()}, std::runtime_error);
}

TEST(ProcFs, KnowsAProcess) {
    const FakeProcFs tree;
    tree.add({.pid = 7,
              .start_ticks = 4711,
              .uid = 33,
              .comm = "nginx",
              .exe = "/usr/sbin/nginx",
              .cgroup = "0::/system.slice/nginx.service\n"});
    const ProcFs procfs{tree.root()};
    EXPECT_EQ(procfs.process(7), (Process{.id = {std::string{FakeProcFs::boot_id}, 7, 4711},
                                          .uid = 33,
                                          .comm = "nginx",
                                          .exe = "/usr/sbin/nginx",
                                          .unit = "nginx.service",
                                          .container = "",
                                          .around = {"system.slice"}}));
    EXPECT_EQ(procfs.identity(7), (ProcessIdentity{std::string{FakeProcFs::boot_id}, 7, 4711}));
}

class ProcFsComm : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(ProcFsComm, MayBeAnything) {
    const auto& [comm, shown] = GetParam();
    const FakeProcFs tree;
    tree.add({.pid = 7, .start_ticks = 4711, .comm = comm});
    const auto process = ProcFs{tree.root()}.process(7);
    ASSERT_TRUE(process) << process.error().message;
    EXPECT_EQ(process->comm, shown);
    EXPECT_EQ(process->id.start_ticks, 4711);
}

INSTANTIATE_TEST_SUITE_P(Names, ProcFsComm,
                         testing::Values(std::pair{"", ""}, std::pair{"Web Content", "Web Content"},
                                         std::pair{"(sd-pam)", "(sd-pam)"},
                                         std::pair{") R 1 2 (", ") R 1 2 ("},
                                         std::pair{"a\nb\x1b", R"(a\x0ab\x1b)"},
                                         std::pair{"\xff", R"(\xff)"}));

TEST(ProcFs, CountsDescriptors) {
    const FakeProcFs tree;
    tree.add({.pid = 7, .start_ticks = 4711});
    for (const auto* fd : {"0", "1", "255"}) {
        tree.write(formatted("7/fd/{}", fd), "");
    }
    tree.write("7/limits",
               "Limit                     Soft Limit           Hard Limit           Units     \n"
               "Max processes             127                  128                  processes \n"
               "Max open files            1024                 524288               files     \n");
    const auto use = ProcFs{tree.root()}.descriptors(7);
    ASSERT_TRUE(use) << use.error().message;
    EXPECT_EQ(use->start_ticks, 4711U);
    EXPECT_EQ(use->open, 3U);
    EXPECT_EQ(use->limit, 1024U);

    tree.write("7/limits",
               "Max open files            unlimited            unlimited            files     \n");
    EXPECT_EQ(ProcFs{tree.root()}.descriptors(7)->limit, UINT64_MAX);
    tree.write("7/limits", "Max open files");
    EXPECT_FALSE(ProcFs{tree.root()}.descriptors(7));
    EXPECT_FALSE(ProcFs{tree.root()}.descriptors(8));
}

TEST(ProcFs, CountsItsOwnDescriptors) {
    const ProcFs procfs{"/proc"};
    const auto before = procfs.descriptors(::getpid());
    ASSERT_TRUE(before) << before.error().message;
    const Fd one{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    const Fd two{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    EXPECT_EQ(procfs.descriptors(::getpid())->open, before->open + 2);
    rlimit limits{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limits), 0);
    EXPECT_EQ(before->limit, limits.rlim_cur);
}

TEST(ProcFs, NamesAProgramThatWasReplaced) {
    const FakeProcFs tree;
    tree.add({.pid = 7, .exe = "/usr/bin/sshd (deleted)"});
    EXPECT_EQ(ProcFs{tree.root()}.process(7)->exe, "/usr/bin/sshd");
}

TEST(ProcFs, KnowsProcessesWithoutAProgram) {
    const FakeProcFs tree;
    tree.add({.pid = 7, .comm = "kworker/0:1", .exe = "", .cgroup = "0::/\n"});
    const auto process = ProcFs{tree.root()}.process(7);
    ASSERT_TRUE(process) << process.error().message;
    EXPECT_EQ(process->exe, "");
    EXPECT_EQ(process->unit, "");
}

TEST(ProcFs, ForgivesAKernelWithoutControlGroups) {
    const FakeProcFs tree;
    tree.add({.pid = 7});
    std::filesystem::remove(tree.root() / "7/cgroup");
    const auto process = ProcFs{tree.root()}.process(7);
    ASSERT_TRUE(process) << process.error().message;
    EXPECT_EQ(process->unit, "");
}

class ProcFsVanishing : public testing::TestWithParam<const char*> {};

TEST_P(ProcFsVanishing, IsNotFound) {
    const FakeProcFs tree;
    tree.add({.pid = 7});
    std::filesystem::remove_all(tree.root() / GetParam());
    const auto process = ProcFs{tree.root()}.process(7);
    ASSERT_FALSE(process);
    EXPECT_EQ(process.error().code, ErrorCode::not_found);
    EXPECT_THAT(process.error().message, testing::HasSubstr("process 7"));
}

INSTANTIATE_TEST_SUITE_P(HalfWay, ProcFsVanishing, testing::Values("7", "7/status", "7/stat"));

TEST(ProcFs, KnowsNoParentOfWhoIsGone) {
    const FakeProcFs tree;
    const auto link = ProcFs{tree.root()}.link(7);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::not_found);
}

class ProcFsDamaged : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ProcFsDamaged, IsAnError) {
    const auto [file, text] = GetParam();
    const FakeProcFs tree;
    tree.add({.pid = 7});
    tree.write(file, text);
    const auto process = ProcFs{tree.root()}.process(7);
    ASSERT_FALSE(process);
    EXPECT_EQ(process.error().code, ErrorCode::io);
}

INSTANTIATE_TEST_SUITE_P(
    Files, ProcFsDamaged,
    testing::Values(std::pair{"7/stat", ""}, std::pair{"7/stat", "7 (a) S 1"}, std::pair{"7/stat", "7 (a)"},
                    std::pair{"7/stat", "7 )a( S"},
                    std::pair{"7/stat", "7 (a) S 1 1 1 0 -1 1 1 0 3 0 5 7 0 0 20 0 1 0 x 1"},
                    std::pair{"7/status", ""}, std::pair{"7/status", "Uid:\tx\t0\t0\t0\n"},
                    std::pair{"7/status", "Uid:\t-1\t0\t0\t0\n"}));

TEST(ProcFs, ListsPidsAndNothingElse) {
    const FakeProcFs tree;
    tree.add({.pid = 7});
    tree.add({.pid = 4194304});
    tree.write("12a/stat", "");
    tree.write("99999999999/stat", "");
    EXPECT_THAT(ProcFs{tree.root()}.pids(), testing::UnorderedElementsAre(7, 4194304));
}

TEST(ProcFs, ListsPidsAnew) {
    const FakeProcFs tree;
    const ProcFs procfs{tree.root()};
    EXPECT_THAT(procfs.pids(), testing::IsEmpty());
    tree.add({.pid = 7});
    EXPECT_THAT(procfs.pids(), testing::ElementsAre(7));
    EXPECT_THAT(procfs.pids(), testing::ElementsAre(7));
}

TEST(ProcFs, FindsEachNetNamespaceOnce) {
    const FakeProcFs tree;
    tree.add({.pid = 1, .net_namespace = ""});
    tree.add({.pid = 7, .net_namespace = "host"});
    tree.add({.pid = 8, .net_namespace = "host"});
    tree.add({.pid = 9, .net_namespace = "container"});
    const auto found = ProcFs{tree.root()}.net_namespaces();
    ASSERT_EQ(found.size(), 2);
    EXPECT_NE(found[0].inode, found[1].inode);
    for (const auto& net_namespace : found) {
        struct stat status{};
        ASSERT_EQ(::fstat(net_namespace.fd.get(), &status), 0);
        EXPECT_EQ(status.st_ino, net_namespace.inode);
    }
}

TEST(ProcFs, FindsWhoHasAFileOpen) {
    const FakeProcFs tree;
    tree.write("wanted", "");
    tree.write("other", "");
    for (const std::int32_t pid : {7, 8}) {
        tree.add({.pid = pid, .start_ticks = 4711});
        std::filesystem::create_directories(tree.root() / std::to_string(pid) / "fd");
    }
    std::filesystem::create_symlink(tree.root() / "other", tree.root() / "7/fd/0");
    std::filesystem::create_symlink(tree.root() / "wanted", tree.root() / "7/fd/3");
    std::filesystem::create_symlink(tree.root() / "nowhere", tree.root() / "8/fd/0");
    const Fd wanted{::open((tree.root() / "wanted").c_str(), O_PATH | O_CLOEXEC)};
    const auto number = file_number(wanted.get());
    ASSERT_TRUE(number) << number.error().message;

    const OpenFiles files = ProcFs{tree.root()}.open_files([&](const FileNumber& file) {
        return file == *number;
    });
    ASSERT_THAT(files.found, testing::SizeIs(1));
    EXPECT_EQ(files.found[0].pid, 7);
    EXPECT_EQ(files.found[0].start_ticks, 4711);
    EXPECT_EQ(files.found[0].fd, 3);
    EXPECT_EQ(files.refused, 0);
}

struct PidSample {
    std::string status;
    bool ours;
};

class ProcFsPids : public testing::TestWithParam<PidSample> {};

TEST_P(ProcFsPids, AreOursOrNot) {
    const FakeProcFs tree;
    tree.write("self/status", GetParam().status);
    EXPECT_EQ(ProcFs{tree.root()}.has_our_pids(), GetParam().ours);
}

INSTANTIATE_TEST_SUITE_P(Trees, ProcFsPids,
                         testing::Values(PidSample{formatted("Pid:\t1\nNSpid:\t{}\n", ::getpid()), true},
                                         PidSample{formatted("NSpid:\t{}\n", ::getpid() + 1), false},
                                         PidSample{formatted("NSpid:\t4242\t{}\n", ::getpid()), false},
                                         PidSample{formatted("NSpid:\t{}\t{}\n", ::getpid(), ::getpid()),
                                                   false},
                                         PidSample{formatted("Pid:\t{}\n", ::getpid()), false}));

TEST(ProcFs, WithoutOurselvesHasNotOurPids) {
    const FakeProcFs tree;
    EXPECT_FALSE(ProcFs{tree.root()}.has_our_pids());
}

class RealProcFs : public testing::Test {
protected:
    const ProcFs procfs_{"/proc"};
};

TEST_F(RealProcFs, KnowsThisTest) {
    const auto process = procfs_.process(::getpid());
    ASSERT_TRUE(process) << process.error().message;
    EXPECT_EQ(process->id.pid, ::getpid());
    EXPECT_EQ(process->uid, ::getuid());
    EXPECT_EQ(process->exe, std::filesystem::read_symlink("/proc/self/exe"));
    std::ifstream comm{"/proc/self/comm"};
    std::string expected;
    std::getline(comm, expected);
    EXPECT_EQ(process->comm, expected);
    EXPECT_EQ(procfs_.identity(::getpid()), process->id);
}

TEST_F(RealProcFs, KnowsTheParentOfThisTest) {
    const auto link = procfs_.link(::getpid());
    ASSERT_TRUE(link) << link.error().message;
    EXPECT_EQ(link->pid, ::getpid());
    EXPECT_EQ(link->parent, ::getppid());
    EXPECT_EQ(link->start_ticks, procfs_.identity(::getpid())->start_ticks);
}

TEST_F(RealProcFs, ListsThisTest) {
    EXPECT_THAT(procfs_.pids(), testing::Contains(::getpid()));
}

TEST_F(RealProcFs, FindsTheNetNamespaceOfThisTest) {
    struct stat ours{};
    ASSERT_EQ(::stat("/proc/self/ns/net", &ours), 0);
    EXPECT_THAT(procfs_.net_namespaces(),
                testing::Contains(testing::Field(&NetNamespace::inode, ours.st_ino)));
}

TEST_F(RealProcFs, FindsBothDescriptorsOfOneFile) {
    const Fd first{::memfd_create("both", MFD_CLOEXEC)};
    const Fd second{::dup(first.get())};
    const auto number = file_number(first.get());
    ASSERT_TRUE(number) << number.error().message;
    const OpenFiles files = procfs_.open_files([&](const FileNumber& file) {
        return file == *number;
    });
    std::vector<int> ours;
    for (const OpenFile& open : files.found) {
        EXPECT_EQ(open.pid, ::getpid());
        ours.push_back(open.fd);
    }
    EXPECT_THAT(ours, testing::UnorderedElementsAre(first.get(), second.get()));
}

TEST_F(RealProcFs, KnowsTheStateOfThisTest) {
    const auto state = procfs_.state(::getpid());
    ASSERT_TRUE(state);
    EXPECT_EQ(state->state, 'R');
    EXPECT_EQ(state->parent, ::getppid());
    EXPECT_EQ(state->start_ticks, procfs_.identity(::getpid())->start_ticks);
}

TEST_F(RealProcFs, KnowsHowManyTasksThereMayBe) {
    const auto room = procfs_.task_room();
    ASSERT_TRUE(room);
    EXPECT_GT(room->used, 1U);
    EXPECT_GT(room->limit, room->used);
}

TEST_F(RealProcFs, HasOurPids) {
    EXPECT_TRUE(procfs_.has_our_pids());
}

TEST_F(RealProcFs, IsTheDefaultUnlessTheHostsIsBound) {
    EXPECT_EQ(ProcFs::default_root() == "/proc", !std::filesystem::exists("/run/host/proc/self"));
}

} // namespace

} // namespace egb::host
