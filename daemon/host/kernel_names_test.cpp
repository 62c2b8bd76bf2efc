// SPDX-License-Identifier: Apache-2.0
#include "host/kernel_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace egb::host {
namespace {

using namespace std::string_literals;

TEST(KernelNamesTest, the_innermost_comes_first) {
    EXPECT_EQ(path_of_names("true\0bin\0usr\0"s), "/usr/bin/true");
    EXPECT_EQ(path_of_names("a.service\0system.slice\0"s), "/system.slice/a.service");
    EXPECT_EQ(path_of_names("one\0"s), "/one");
}

TEST(KernelNamesTest, the_root_has_no_name) {
    EXPECT_EQ(path_of_names(""), "/");
}

TEST(KernelNamesTest, the_last_may_lack_its_end) {
    EXPECT_EQ(path_of_names("b\0a"s), "/a/b");
}

} // namespace
} // namespace egb::host
