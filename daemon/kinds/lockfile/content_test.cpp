// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/content.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egb::lockfile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LockContentTest, a_pid_is_found_in_every_form_that_is_in_use) {
    EXPECT_THAT(pids_in("1234\n"), ElementsAre(1234));
    EXPECT_THAT(pids_in("      1234\n"), ElementsAre(1234)); // UUCP
    EXPECT_THAT(pids_in("host-1234"), ElementsAre(1234));    // Chrome's SingletonLock
    EXPECT_THAT(pids_in("1234 host\n"), ElementsAre(1234));
    EXPECT_THAT(pids_in("user@host.1234:1699999999"), ElementsAre(1234)); // Emacs
    EXPECT_THAT(pids_in("pid=77"), ElementsAre(77));
    EXPECT_THAT(pids_in("node7-1234"), ElementsAre(7, 1234));
}

TEST(LockContentTest, only_the_first_line_counts) {
    EXPECT_THAT(pids_in("none\n1234\n"), IsEmpty());
    EXPECT_THAT(pids_in("\n\n1234\n99"), ElementsAre(1234));
    EXPECT_THAT(pids_in(std::string_view{"12\0"
                                         "34",
                                         5}),
                ElementsAre(12));
}

TEST(LockContentTest, a_small_number_means_a_process_only_where_it_is_all_there_is) {
    for (const std::string_view text : {"1", " 1\n", "1 \nmore\n", "host-1", "my-host-1\n"}) {
        EXPECT_TRUE(names_pid(text, 1)) << text;
    }
    for (const std::string_view text :
         {"# tool lockfile v1\n", "version = 1\n", "1 host\n", "1.0\n", "11", "host-11", "1-host", ""}) {
        EXPECT_FALSE(names_pid(text, 1)) << text;
    }
    EXPECT_TRUE(names_pid("app, pid 1234, since yesterday\n", 1234));
    EXPECT_FALSE(names_pid("app, pid 1234\n", 234));
}

TEST(LockContentTest, what_no_process_can_have_is_no_pid) {
    EXPECT_THAT(pids_in(""), IsEmpty());
    EXPECT_THAT(pids_in("0"), IsEmpty());
    EXPECT_THAT(pids_in("4194304"), IsEmpty());
    EXPECT_THAT(pids_in("123456789012345678901234567890"), IsEmpty());
    EXPECT_THAT(pids_in("0.1.2.3"), ElementsAre(1, 2, 3));
}

} // namespace
} // namespace egb::lockfile
