// SPDX-License-Identifier: Apache-2.0
#include "restorer.hpp"

#include "harness/builders.hpp"
#include "harness/fake_quarantine.hpp"
#include "harness/fake_sys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RestorerTest : public testing::Test {
protected:
    RestorerTest() {
        Ghost ghost = test::make_ghost("a lock");
        ghost.id = 17;
        EXPECT_TRUE(quarantine_.keep(ghost, {.path = "/run/x.lock"}));
    }

    test::FakeSys sys_;
    test::FakeQuarantine quarantine_;
    Restorer restorer_{sys_, quarantine_};
};

TEST_F(RestorerTest, what_is_back_is_in_quarantine_no_longer) {
    ASSERT_TRUE(quarantine_.settle(17));
    EXPECT_EQ(restorer_.restore(17), "/run/x.lock");
    EXPECT_THAT(sys_.restored(), SizeIs(1));
    EXPECT_EQ(restorer_.restore(17).error().code, ErrorCode::not_found);
}

TEST_F(RestorerTest, what_cannot_be_restored_stays_in_quarantine) {
    ASSERT_TRUE(quarantine_.settle(17));
    sys_.answer(fail(ErrorCode::busy, "there is another"));
    EXPECT_EQ(restorer_.restore(17).error().code, ErrorCode::busy);
    EXPECT_THAT(quarantine_.wards(), SizeIs(1));
}

TEST_F(RestorerTest, what_was_left_half_way_is_put_back_and_told) {
    EXPECT_THAT(restorer_.recover(), ElementsAre(HasSubstr("/run/x.lock was left half way")));
    EXPECT_THAT(quarantine_.wards(), IsEmpty());
    EXPECT_THAT(restorer_.recover(), IsEmpty());
    EXPECT_THAT(sys_.restored(), IsEmpty());
}

TEST_F(RestorerTest, what_was_left_half_way_and_is_gone_is_made_again) {
    sys_.recovered(host::Whereabouts::gone);
    EXPECT_THAT(restorer_.recover(), ElementsAre(HasSubstr("and is there")));
    EXPECT_EQ(quarantine_.wards().at(17).custody, Custody::kept);
    EXPECT_EQ(restorer_.restore(17), "/run/x.lock");
}

TEST_F(RestorerTest, what_nobody_can_tell_is_asked_again) {
    sys_.answer(fail(ErrorCode::lost, "the directory is another one"));
    EXPECT_THAT(restorer_.recover(), ElementsAre(HasSubstr("the directory is another one")));
    EXPECT_EQ(restorer_.restore(17).error().code, ErrorCode::lost);
    EXPECT_EQ(quarantine_.wards().at(17).custody, Custody::underway);
}

TEST_F(RestorerTest, only_what_has_no_folder_any_more_is_given_up) {
    for (const auto code : {ErrorCode::busy, ErrorCode::denied, ErrorCode::io}) {
        sys_.answer(fail(code, "not now"));
        EXPECT_THAT(restorer_.recover(), SizeIs(1));
    }
    EXPECT_THAT(quarantine_.given_up(), IsEmpty());
    sys_.answer(fail(ErrorCode::not_found, "there is no such folder"));
    EXPECT_THAT(restorer_.recover(), SizeIs(1));
    EXPECT_THAT(quarantine_.given_up(), ElementsAre(17U));
}

} // namespace
} // namespace egb
