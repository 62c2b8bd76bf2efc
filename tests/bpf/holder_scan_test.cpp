// SPDX-License-Identifier: Apache-2.0
#include "sockets.hpp"

#include "host/bpf_holder_scan.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

namespace egb::host
{
namespace
{

InodeId inode_of(int fd)
{
	struct stat status{};
	EXPECT_EQ(::fstat(fd, &status), 0);
	return {.device = status.st_dev, .inode = status.st_ino};
}

class HolderScanOnTheKernel : public testing::Test
{
      protected:
	void expect_only_us(int fd)
	{
		const auto holders = scan_.find(inode_of(fd));
		ASSERT_TRUE(holders) << holders.error().message;
		ASSERT_THAT(*holders, testing::SizeIs(1));
		EXPECT_EQ(holders->front().process->id.pid, ::getpid());
		EXPECT_EQ(holders->front().fd, fd);
	}

	ProcFs procfs_{"/proc"};
	BpfHolderScan scan_{procfs_};
};

TEST_F(HolderScanOnTheKernel, finds_who_has_a_file_open)
{
	const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file{std::tmpfile(), std::fclose};
	ASSERT_TRUE(file);
	expect_only_us(::fileno(file.get()));
}

TEST_F(HolderScanOnTheKernel, finds_who_has_a_socket_open)
{
	const auto connection = test::connect_loopback(test::Family::ipv4);
	expect_only_us(connection.ours.get());
}

TEST_F(HolderScanOnTheKernel, finds_both_descriptors_of_one_file)
{
	const auto connection = test::connect_loopback(test::Family::ipv6);
	const Fd second{::dup(connection.ours.get())};
	const auto holders = scan_.find(inode_of(second.get()));
	ASSERT_TRUE(holders);
	EXPECT_THAT(*holders, testing::SizeIs(2));
}

TEST_F(HolderScanOnTheKernel, finds_nobody_for_a_file_that_nobody_has_open)
{
	std::array<char, 32> path{"/tmp/holder-scan-XXXXXX"};
	Fd file{::mkstemp(path.data())};
	const InodeId id = inode_of(file.get());
	file.reset();
	const auto holders = scan_.find(id);
	::unlink(path.data());
	ASSERT_TRUE(holders);
	EXPECT_THAT(*holders, testing::IsEmpty());
}

} // namespace
} // namespace egb::host
