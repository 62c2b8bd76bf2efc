// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/mechanisms.hpp"

#include "harness/fake_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace egb::lockfile {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::array<std::string_view, 2> names{"its_old_name", "its_new_name"};

constexpr std::array<std::string_view, 2> file_systems{"ext4", "xfs"};

/// Two of them, "first" and "second", of which either may not work.
class MechanismsTest : public testing::Test {
protected:
    MechanismsTest() {
        auto first = std::make_unique<test::FakeEvents>();
        auto second = std::make_unique<test::FakeEvents>();
        first_ = first.get();
        second_ = second.get();
        std::vector<Mechanism> all;
        all.push_back({.name = "first", .sees = "all there is", .events = std::move(first), .either = names});
        all.push_back(
            {.name = "second", .sees = "little", .events = std::move(second), .file_systems = file_systems});
        mechanisms_ = std::make_unique<Mechanisms>(std::move(all));
    }

    void refuse_first() { first_->fail_attach({ErrorCode::denied, "the kernel refuses it"}); }

    test::FakeEvents* first_{};
    test::FakeEvents* second_{};
    std::unique_ptr<Mechanisms> mechanisms_;
};

TEST_F(MechanismsTest, the_first_that_works_is_taken) {
    ASSERT_TRUE(mechanisms_->attach());
    EXPECT_EQ(&mechanisms_->events(), first_);
    EXPECT_FALSE(second_->attached());
    EXPECT_EQ(mechanisms_->description(), "by first: all there is");
}

TEST_F(MechanismsTest, the_next_takes_the_place_of_one_that_is_refused) {
    refuse_first();
    ASSERT_TRUE(mechanisms_->attach());
    EXPECT_EQ(&mechanisms_->events(), second_);
    EXPECT_TRUE(second_->attached());
    EXPECT_EQ(mechanisms_->description(), "by second: little; not by first: the kernel refuses it");
}

TEST_F(MechanismsTest, each_sees_on_file_systems_of_its_own) {
    refuse_first();
    EXPECT_TRUE(mechanisms_->see("vfat")) << "the first sees on all";
    ASSERT_TRUE(mechanisms_->attach());
    EXPECT_TRUE(mechanisms_->see("xfs"));
    EXPECT_FALSE(mechanisms_->see("vfat"));
    EXPECT_TRUE(mechanisms_->see("")) << "which one it is, is not known";
}

TEST_F(MechanismsTest, one_of_the_names_of_a_program_is_enough) {
    first_->refuse("its_old_name", "no such function");
    ASSERT_TRUE(mechanisms_->attach());
    EXPECT_EQ(&mechanisms_->events(), first_);
}

TEST_F(MechanismsTest, one_that_lacks_a_program_by_all_its_names_does_not_work) {
    first_->refuse("its_old_name", "no such function");
    first_->refuse("its_new_name", "nor this");
    ASSERT_TRUE(mechanisms_->attach());
    EXPECT_EQ(&mechanisms_->events(), second_);
    EXPECT_THAT(mechanisms_->description(), HasSubstr("not by first: no such function"));
}

TEST_F(MechanismsTest, what_the_administrator_wants_is_taken_and_nothing_else) {
    mechanisms_->permit("second");
    ASSERT_TRUE(mechanisms_->attach());
    EXPECT_EQ(&mechanisms_->events(), second_);
    EXPECT_EQ(mechanisms_->description(), "by second: little; not by first: See=second");
}

TEST_F(MechanismsTest, where_it_sees_is_said_of_the_one_in_use) {
    std::vector<Mechanism> all;
    all.push_back(
        {.name = "only", .sees = "some", .events = std::make_unique<test::FakeEvents>(), .extent = [] {
             return "here and there";
         }});
    Mechanisms mechanisms{std::move(all)};
    ASSERT_TRUE(mechanisms.attach());
    EXPECT_EQ(mechanisms.description(), "by only: some, here and there");
}

TEST_F(MechanismsTest, none_that_works_is_an_error_that_says_why) {
    refuse_first();
    mechanisms_->permit("first");
    const auto attached = mechanisms_->attach();
    ASSERT_FALSE(attached);
    EXPECT_EQ(attached.error().code, ErrorCode::unsupported);
    EXPECT_THAT(attached.error().message, AllOf(HasSubstr("not by first: the kernel refuses it"),
                                                HasSubstr("not by second: See=first")));
    EXPECT_FALSE(second_->attached());
}

} // namespace
} // namespace egb::lockfile
