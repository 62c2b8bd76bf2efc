// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace egb::host {
namespace {

TEST(CgroupId, IsTakenAsItIs) {
    EXPECT_EQ(cgroup_id("4711"), 4711U);
    EXPECT_EQ(cgroup_id("18446744073709551615"), UINT64_MAX);
}

class WrongCgroup : public testing::TestWithParam<std::string> {};

TEST_P(WrongCgroup, IsRefused) {
    const auto id = cgroup_id(GetParam());
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().code, ErrorCode::invalid);
    EXPECT_THAT(id.error().message, testing::HasSubstr("named by its path"));
}

INSTANTIATE_TEST_SUITE_P(Names, WrongCgroup,
                         testing::Values("", "0", "-1", "relative", "18446744073709551616", "/a/../../etc",
                                         "/..", std::string("/a\0b", 4)));

TEST(CgroupId, OfWhatIsNotThereIsNotFound) {
    const auto id = cgroup_id("/there/is/no\n.such.group");
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().code, ErrorCode::not_found);
    EXPECT_THAT(id.error().message, testing::HasSubstr("no\\x0a.such"));
}

} // namespace
} // namespace egb::host
