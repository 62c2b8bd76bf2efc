// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/tcp_kind.hpp"

#include "harness/fake_clock.hpp"
#include "harness/fake_events.hpp"
#include "harness/fake_fd_store.hpp"
#include "harness/fake_procfs.hpp"
#include "harness/fake_sys.hpp"
#include "harness/sockets.hpp"
#include "kinds/tcp/tcp.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <format>
#include <memory>
#include <vector>

namespace egb::tcp {
namespace {

using testing::SizeIs;

/// The kind in a container: its /proc is that of the machine, and shows pids that the kernel side cannot
/// list.
class TcpKindInAContainer : public testing::Test {
protected:
    TcpKindInAContainer() {
        auto events = std::make_unique<test::FakeEvents>();
        events_ = events.get();
        kind_ = std::make_unique<TcpKind>(
            host::Surroundings{.clock = clock_, .procfs = procfs_, .fd_store = store_, .sys = sys_},
            std::move(events));
        OptionValues values{info().options};
        EXPECT_TRUE(values.set("CloseWaitAfter", "1min"));
        kind_->configure(values);
        EXPECT_TRUE(kind_->start());
    }

    /// A record of a socket that has waited for an hour.
    void list_socket(std::uint64_t cookie, std::uint64_t inode) {
        egb_tcp_socket record{};
        record.header = {.type = EGB_TCP_SOCKET,
                         .size = sizeof(record),
                         .reserved = 0,
                         .time_ns = static_cast<__u64>(clock_.now().time_since_epoch().count())};
        record.cookie = cookie;
        record.inode = inode;
        record.family = AF_INET;
        record.state = TCP_CLOSE_WAIT;
        record.flags = EGB_TCP_WATCHED;
        events_->list("egb_tcp_sweep", record);
    }

    /// Gives a process of the made-up /proc one of our own descriptors.
    void hand_to(std::int32_t pid, int fd, int ours) {
        const auto folder = tree_.root() / std::to_string(pid) / "fd";
        std::filesystem::create_directories(folder);
        std::filesystem::create_symlink(std::format("/proc/self/fd/{}", ours), folder / std::to_string(fd));
    }

    std::vector<Ghost> sweep() {
        EXPECT_TRUE(kind_->sweep(SweepReason::timer));
        const Changes changes = kind_->tracker().tick(clock_.now());
        return {changes.ghosts.begin(), changes.ghosts.end()};
    }

    test::FakeClock clock_;
    test::FakeProcFs tree_;
    host::ProcFs procfs_{tree_.root()};
    test::FakeFdStore store_;
    test::FakeSys sys_;
    test::FakeEvents* events_{}; ///< owned by the kind
    std::unique_ptr<TcpKind> kind_;
};

TEST_F(TcpKindInAContainer, finds_holders_by_the_inodes_of_their_descriptors) {
    const auto connection = test::connect_loopback(test::Family::ipv4);
    const auto file = host::file_number(connection.ours.get());
    ASSERT_TRUE(file) << file.error().message;
    tree_.add({.pid = 7, .start_ticks = 4711, .comm = "holder"});
    tree_.add({.pid = 8, .start_ticks = 4712, .comm = "bystander"});
    hand_to(7, 5, connection.ours.get());
    hand_to(8, 6, connection.peer.get());
    list_socket(1, file->inode);

    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(1));
    ASSERT_THAT(ghosts[0].holders, SizeIs(1));
    EXPECT_EQ(ghosts[0].holders[0].fd, 5);
    EXPECT_EQ(ghosts[0].holders[0].process->comm, "holder");
    EXPECT_EQ(ghosts[0].holders[0].process->id.start_ticks, 4711U);
}

TEST_F(TcpKindInAContainer, does_not_take_a_file_with_the_same_inode_number_for_the_socket) {
    const auto path = tree_.root() / "file";
    tree_.write("file", "");
    const host::Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    tree_.add({.pid = 7});
    hand_to(7, 5, file.get());
    list_socket(1, host::file_number(file.get())->inode);
    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(1));
    EXPECT_THAT(ghosts[0].holders, SizeIs(0));
}

TEST_F(TcpKindInAContainer, looks_how_many_descriptors_the_owner_of_a_leak_has) {
    const auto connection = test::connect_loopback(test::Family::ipv4);
    const auto file = host::file_number(connection.ours.get());
    ASSERT_TRUE(file) << file.error().message;
    tree_.add({.pid = 7, .start_ticks = 4711, .comm = "holder"});
    tree_.write("7/limits",
                "Max open files            1024                 524288               files     \n");
    hand_to(7, 5, connection.ours.get());
    hand_to(7, 6, connection.peer.get());
    OptionValues values{info().options};
    ASSERT_TRUE(values.set("LeakAfter", "1"));
    kind_->configure(values);
    list_socket(1, file->inode);

    const auto ghosts = sweep();
    ASSERT_THAT(ghosts, SizeIs(2));
    EXPECT_EQ(ghosts[0].key, "leak:7@4711");
    EXPECT_EQ(ghosts[1].group, ghosts[0].key);
    const auto fields = kind_->tracker().describe(ghosts[0].key);
    EXPECT_THAT(fields, testing::Contains(Field{"open_files", std::uint64_t{2}}));
    EXPECT_THAT(fields, testing::Contains(Field{"file_limit", std::uint64_t{1024}}));
}

TEST_F(TcpKindInAContainer, says_which_way_it_looks) {
    const auto capabilities = kind_->capabilities();
    const auto holders = std::ranges::find(capabilities, "holders", &Capability::name);
    ASSERT_NE(holders, capabilities.end());
    EXPECT_TRUE(holders->works);
    EXPECT_THAT(holders->detail, testing::HasSubstr("/proc"));
}

} // namespace
} // namespace egb::tcp
