// SPDX-License-Identifier: Apache-2.0
#include "notifier.hpp"

#include "harness/notify_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egb {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class NotifierTest : public testing::Test {
protected:
    [[nodiscard]] std::vector<std::string> told() const { return test::texts(manager_.received()); }

    test::NotifySocket manager_;
    Notifier notifier_;
};

TEST_F(NotifierTest, ReadyComesWithAStatus) {
    notifier_.ready("0 ghosts");
    EXPECT_THAT(told(), ElementsAre("READY=1\nSTATUS=0 ghosts"));
}

TEST_F(NotifierTest, AReloadIsStampedInMicroseconds) {
    notifier_.reloading(instant_of(1'234'567'890));
    EXPECT_THAT(told(), ElementsAre("RELOADING=1\nMONOTONIC_USEC=1234567"));
}

TEST_F(NotifierTest, AStatusIsToldWhenItChanges) {
    notifier_.ready("0 ghosts");
    notifier_.status("0 ghosts");
    notifier_.status("1 ghost");
    notifier_.status("1 ghost");
    EXPECT_THAT(told(), ElementsAre("READY=1\nSTATUS=0 ghosts", "STATUS=1 ghost"));
}

TEST_F(NotifierTest, AStatusCannotSmuggleInAnotherAssignment) {
    notifier_.status("ghosts\nMAINPID=1");
    EXPECT_THAT(told(), ElementsAre("STATUS=ghosts MAINPID=1"));
}

TEST_F(NotifierTest, TheEndIsTold) {
    notifier_.stopping();
    EXPECT_THAT(told(), ElementsAre("STOPPING=1"));
    EXPECT_THAT(told(), IsEmpty());
}

} // namespace
} // namespace egb
