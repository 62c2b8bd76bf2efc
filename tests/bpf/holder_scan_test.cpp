// SPDX-License-Identifier: Apache-2.0
#include "core/format.hpp"
#include "harness/sockets.hpp"
#include "harness/temp_folder.hpp"

#include "host/bpf_holder_scan.hpp"
#include "host/proc_holder_scan.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace egb::host {
namespace {

/// Both ways to look, which must find the same.
template <typename Scan>
class HolderScanOnTheKernel : public testing::Test {
protected:
    void expect_only_us(int fd) {
        const auto holders = this->scan_.find(fd);
        ASSERT_TRUE(holders) << holders.error().message;
        ASSERT_THAT(*holders, testing::SizeIs(1));
        EXPECT_EQ(holders->front().process->id.pid, ::getpid());
        EXPECT_EQ(holders->front().fd, fd);
    }

    ProcFs procfs_{"/proc"};
    Scan scan_{procfs_};
};

using Scans = testing::Types<BpfHolderScan, ProcHolderScan>;
TYPED_TEST_SUITE(HolderScanOnTheKernel, Scans);

TYPED_TEST(HolderScanOnTheKernel, finds_who_has_a_file_open) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), std::fclose};
    ASSERT_TRUE(file);
    this->expect_only_us(::fileno(file.get()));
}

TYPED_TEST(HolderScanOnTheKernel, finds_who_has_a_socket_open) {
    const auto connection = test::connect_loopback(test::Family::ipv4);
    this->expect_only_us(connection.ours.get());
}

TYPED_TEST(HolderScanOnTheKernel, finds_both_descriptors_of_one_file) {
    const auto connection = test::connect_loopback(test::Family::ipv6);
    const Fd second{::dup(connection.ours.get())};
    const auto holders = this->scan_.find(second.get());
    ASSERT_TRUE(holders);
    EXPECT_THAT(*holders, testing::SizeIs(2));
}

TYPED_TEST(HolderScanOnTheKernel, finds_who_has_a_file_open_by_a_descriptor_that_only_names_it) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), std::fclose};
    ASSERT_TRUE(file);
    const auto path = formatted("/proc/self/fd/{}", ::fileno(file.get()));
    const Fd name{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    const auto holders = this->scan_.find(name.get());
    ASSERT_TRUE(holders) << holders.error().message;
    EXPECT_THAT(*holders, testing::SizeIs(2));
}

TYPED_TEST(HolderScanOnTheKernel, finds_who_works_in_a_directory) {
    const test::TempFolder folder;
    const Fd directory{::open(folder.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    this->expect_only_us(directory.get());
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    const auto holders = this->scan_.others(directory.get());
    std::filesystem::current_path(before);
    ASSERT_TRUE(holders) << holders.error().message;
    ASSERT_THAT(*holders, testing::SizeIs(1));
    EXPECT_EQ(holders->front().process->id.pid, ::getpid());
    EXPECT_EQ(holders->front().fd, -1);
}

TYPED_TEST(HolderScanOnTheKernel, tells_files_apart) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> first{std::tmpfile(), std::fclose};
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> second{std::tmpfile(), std::fclose};
    ASSERT_TRUE(first && second);
    this->expect_only_us(::fileno(first.get()));
    this->expect_only_us(::fileno(second.get()));
}

TYPED_TEST(HolderScanOnTheKernel, finds_nobody_by_a_descriptor_that_is_none) {
    constexpr int never_open = 1 << 20;
    const auto holders = this->scan_.find(never_open);
    ASSERT_FALSE(holders);
}

TYPED_TEST(HolderScanOnTheKernel, names_no_more_than_a_thousand_descriptors) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd read_end{ends[0]};
    std::vector<Fd> more;
    more.emplace_back(ends[1]);
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_GT(limit.rlim_max, HolderScan::most_holders + 100);
    limit.rlim_cur = limit.rlim_max;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (more.size() < HolderScan::most_holders + 10) {
        more.emplace_back(::dup(ends[0]));
        ASSERT_TRUE(more.back());
    }
    const auto holders = this->scan_.find(read_end.get());
    ASSERT_TRUE(holders) << holders.error().message;
    EXPECT_THAT(*holders, testing::SizeIs(HolderScan::most_holders));
}

TEST(BpfHolderScanOnTheKernel, finds_a_thread_that_works_in_a_directory_of_its_own) {
    const test::TempFolder folder;
    const Fd directory{::open(folder.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const ProcFs procfs{"/proc"};
    BpfHolderScan scan{procfs};
    std::latch is_there{1};
    std::latch is_seen{1};
    const std::jthread worker{[&] {
        EXPECT_EQ(::unshare(CLONE_FS), 0);
        EXPECT_EQ(::chdir(folder.path().c_str()), 0);
        is_there.count_down();
        is_seen.wait();
    }};
    is_there.wait();
    const auto holders = scan.others(directory.get());
    is_seen.count_down();
    ASSERT_TRUE(holders) << holders.error().message;
    ASSERT_THAT(*holders, testing::SizeIs(1));
    EXPECT_EQ(holders->front().process->id.pid, ::getpid());
    EXPECT_EQ(holders->front().fd, -1);
}

} // namespace
} // namespace egb::host
