// SPDX-License-Identifier: Apache-2.0
#include "host/privileges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <linux/capability.h>
#include <string>
#include <thread>

namespace egb::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::array<std::string_view, 3> wanted{"CAP_KILL", "CAP_BPF", "CAP_CHOWN"};

/// In a thread of its own, whose capabilities are nobody else's.
std::vector<std::string_view> missing_with(std::array<__user_cap_data_struct, 2> effective) {
    std::vector<std::string_view> missing;
    std::thread{[&] {
        __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
        ASSERT_EQ(::syscall(SYS_capset, &header, effective.data()), 0);
        missing = missing_privileges(wanted);
    }}.join();
    return missing;
}

class PrivilegesTest : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "only root has capabilities to give up";
        }
    }
};

TEST_F(PrivilegesTest, WhatIsHeldIsNotMissing) {
    EXPECT_THAT(missing_privileges(wanted), IsEmpty());
}

TEST_F(PrivilegesTest, WhatIsNotInEffectIsMissing) {
    constexpr unsigned kill_alone = 1U << CAP_KILL;
    EXPECT_THAT(missing_with({{{.effective = kill_alone, .permitted = kill_alone, .inheritable = 0}, {}}}),
                ElementsAre("CAP_BPF", "CAP_CHOWN"));
}

TEST_F(PrivilegesTest, ANameThatNobodyKnowsIsMissing) {
    constexpr std::array<std::string_view, 1> unknown{"CAP_TO_DREAM"};
    EXPECT_THAT(missing_privileges(unknown), ElementsAre("CAP_TO_DREAM"));
}

} // namespace
} // namespace egb::host
