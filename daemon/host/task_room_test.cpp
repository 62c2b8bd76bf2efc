// SPDX-License-Identifier: Apache-2.0
#include "host/task_room.hpp"

#include "harness/fake_procfs.hpp"
#include "harness/temp_folder.hpp"

#include <gtest/gtest.h>

namespace egb::host {
namespace {

class TaskRoomTest : public testing::Test {
protected:
    TaskRoomTest() {
        files_.write("loadavg", "0.20 0.18 0.12 1/500 11206\n");
        files_.write("sys/kernel/pid_max", "1000\n");
        files_.write("sys/kernel/threads-max", "30000\n");
    }

    TaskRoom room(const std::string& cgroup) {
        files_.add({.pid = 7, .cgroup = "0::" + cgroup + "\n"});
        return task_room_of(ProcFs{files_.root()}, 7, groups_.path()).value();
    }

    test::FakeProcFs files_;
    test::TempFolder groups_;
};

TEST_F(TaskRoomTest, is_the_machines_where_nothing_else_limits) {
    EXPECT_EQ(room("/").limit, 1000U);
    EXPECT_EQ(room("/").used, 500U);
    groups_.write("a.slice/pids.current", "3\n");
    groups_.write("a.slice/pids.max", "max\n");
    EXPECT_EQ(room("/a.slice").limit, 1000U);
}

TEST_F(TaskRoomTest, is_the_tightest_around_it) {
    groups_.write("a.slice/pids.current", "90\n");
    groups_.write("a.slice/pids.max", "100\n");
    groups_.write("a.slice/b.service/pids.current", "3\n");
    groups_.write("a.slice/b.service/pids.max", "50\n");
    EXPECT_EQ(room("/a.slice/b.service").limit, 100U) << "10 are left there, 47 in its own";
    EXPECT_EQ(room("/a.slice/b.service").used, 90U);
}

TEST_F(TaskRoomTest, does_not_look_at_a_group_that_is_outside_of_ours) {
    groups_.write("a.slice/pids.current", "90\n");
    groups_.write("a.slice/pids.max", "100\n");
    EXPECT_EQ(room("/../../a.slice").limit, 1000U);
}

TEST_F(TaskRoomTest, knows_who_is_frozen) {
    static_cast<void>(room("/a.slice"));
    const ProcFs procfs{files_.root()};
    groups_.write("a.slice/cgroup.events", "populated 1\nfrozen 0\n");
    EXPECT_FALSE(is_frozen(procfs, 7, groups_.path()));
    groups_.write("a.slice/cgroup.events", "populated 1\nfrozen 1\n");
    EXPECT_TRUE(is_frozen(procfs, 7, groups_.path()));
    EXPECT_FALSE(is_frozen(procfs, 8, groups_.path())) << "nobody";
}

} // namespace
} // namespace egb::host
