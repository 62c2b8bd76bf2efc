// SPDX-License-Identifier: Apache-2.0
#include "host/container.hpp"

#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>
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

TEST_F(ContainerTest, DescriptorsForSomebodyElseStayTheirs) {
    ::setenv("LISTEN_PID", "4711", 1);
    speak_to_systemd_directly();
    EXPECT_STREQ(std::getenv("LISTEN_PID"), "4711");
}

TEST_F(ContainerTest, ConfigurationBehindAnAbsoluteLinkIsNotTakenForNone) {
    const test::TempFolder root;
    std::filesystem::create_directories(root.path() / "etc/static");
    std::filesystem::create_symlink("static", root.path() / "etc/systemd");
    EXPECT_TRUE(links_stay_within(root.path()));
    std::filesystem::create_symlink("/etc/static", root.path() / "etc/eghostbuster");
    EXPECT_THAT(links_stay_within(root.path()).error().message,
                testing::HasSubstr("/etc/eghostbuster of this"));
}

TEST_F(ContainerTest, ListsBehindAnAbsoluteLinkAreNotTakenForNone) {
    const test::TempFolder root;
    std::filesystem::create_directories(root.path() / "etc/eghostbuster");
    std::filesystem::create_symlink("/srv/lists", root.path() / "etc/eghostbuster/lockfile");
    EXPECT_THAT(links_stay_within(root.path()).error().message,
                testing::HasSubstr("/etc/eghostbuster/lockfile of this"));
}

} // namespace
} // namespace egb::host
