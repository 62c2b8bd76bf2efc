// SPDX-License-Identifier: Apache-2.0
#include "host/lineage.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace egb::host {
namespace {

constexpr int core_flag = 0x80;

TEST(Death, is_told_as_the_parent_is_told) {
    EXPECT_EQ(to_string(Death{.at = {}, .wait_status = 0}), "exited with 0");
    EXPECT_EQ(to_string(Death{.at = {}, .wait_status = 9 << 8}), "exited with 9") << "not by a signal";
    EXPECT_EQ(to_string(Death{.at = {}, .wait_status = SIGKILL}), "killed by SIGKILL");
    EXPECT_EQ(to_string(Death{.at = {}, .wait_status = SIGABRT | core_flag}),
              "killed by SIGABRT (core dumped)");
    EXPECT_EQ(to_string(Death{.at = {}, .wait_status = 40}), "killed by signal 40") << "one without a name";
}

TEST(Death, tells_signals_from_exits) {
    const Death exited{.at = {}, .wait_status = 3 << 8};
    EXPECT_FALSE(exited.by_signal());
    EXPECT_EQ(exited.exit_status(), 3);
    EXPECT_EQ(exited.signal(), 0);
    EXPECT_FALSE(exited.dumped_core());
    const Death killed{.at = {}, .wait_status = SIGSEGV | core_flag};
    EXPECT_TRUE(killed.by_signal());
    EXPECT_EQ(killed.signal(), SIGSEGV);
    EXPECT_TRUE(killed.dumped_core());
}

} // namespace
} // namespace egb::host
