// SPDX-License-Identifier: Apache-2.0
#include "host/container.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace egb::host {
namespace {

class ContainerTest : public testing::Test {
protected:
    void TearDown() override {
        ::unsetenv("NOTIFY_SOCKET");
        ::unsetenv("LISTEN_PID");
    }
};

TEST_F(ContainerTest, SystemdIsToldWithoutTheEngineInBetween) {
    ::setenv("NOTIFY_SOCKET", "/run/notify/notify.sock", 1);
    speak_to_systemd_directly();
    EXPECT_STREQ(std::getenv("NOTIFY_SOCKET"), "/run/systemd/notify");
}

TEST_F(ContainerTest, DescriptorsForPid1OfTheContainerAreOurs) {
    ::setenv("LISTEN_PID", "1", 1);
    speak_to_systemd_directly();
    EXPECT_EQ(std::getenv("LISTEN_PID"), std::to_string(::getpid()));
}

TEST_F(ContainerTest, WithoutDescriptorsNoneAreExpected) {
    speak_to_systemd_directly();
    EXPECT_EQ(std::getenv("LISTEN_PID"), nullptr);
}

} // namespace
} // namespace egb::host
