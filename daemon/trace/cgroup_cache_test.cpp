// SPDX-License-Identifier: Apache-2.0
#include "trace/cgroup_cache.hpp"

#include <gtest/gtest.h>

namespace egb::trace {
namespace {

TEST(CgroupCache, KnowsTheUnitOfWhatItWasTold) {
    CgroupCache cache;
    cache.learn(7, "/system.slice/a.service");
    EXPECT_EQ(cache.names(7).unit, "a.service");
    EXPECT_EQ(cache.names(8).unit, "");
}

TEST(CgroupCache, ForgetsWhatWasNotUsedForTheLongest) {
    CgroupCache cache{2};
    cache.learn(1, "/a.service");
    cache.learn(2, "/b.service");
    EXPECT_EQ(cache.names(1).unit, "a.service");
    cache.learn(3, "/c.service");
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(cache.names(1).unit, "a.service");
    EXPECT_EQ(cache.names(2).unit, "");
    EXPECT_EQ(cache.names(3).unit, "c.service");
}

TEST(CgroupCache, IsNotConfusedByBeingToldTwice) {
    CgroupCache cache{2};
    cache.learn(1, "/a.service");
    cache.learn(1, "/a.service");
    cache.learn(2, "/b.service");
    EXPECT_EQ(cache.names(1).unit, "a.service");
    EXPECT_EQ(cache.names(2).unit, "b.service");
}

} // namespace
} // namespace egb::trace
