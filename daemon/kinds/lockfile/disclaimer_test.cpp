// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/disclaimer.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace egb::lockfile {
namespace {

using namespace std::chrono_literals;

class DisclaimerTest : public testing::Test {
protected:
    [[nodiscard]] std::string_view reason() const {
        const auto disclaimer = disclaimer_of(file_, {.names = names_,
                                                      .is_seen_there = is_seen_there_,
                                                      .is_followed =
                                                          [this] {
                                                              return is_followed_;
                                                          },
                                                      .started = WallTime{10s}});
        return disclaimer ? disclaimer->reason : "";
    }

    Names names_{{.patterns = {"*.lock"}, .data = {"Cargo.lock", "package-lock.json"}}};
    AskedFile file_{.id = {.device = 1, .inode = 2, .born_ns = 11'000'000'000},
                    .type = FileType::regular,
                    .name = "x.lock"};
    bool is_seen_there_{true};
    bool is_followed_{true};
};

TEST_F(DisclaimerTest, nobody_has_seen_it_to_be_made_exclusively) {
    EXPECT_EQ(reason(), "not-exclusive");
}

TEST_F(DisclaimerTest, it_is_called_like_a_data_file) {
    file_.name = "Cargo.lock";
    EXPECT_EQ(reason(), "data-file");
}

TEST_F(DisclaimerTest, it_is_called_like_no_lock) {
    for (const char* name : {"syslog", "package-lock.json"}) {
        file_.name = name;
        EXPECT_EQ(reason(), "other-name")
            << "whatever a data file is called that is no lock by its name, either";
    }
}

TEST_F(DisclaimerTest, it_has_no_name) {
    file_.name.clear();
    EXPECT_EQ(reason(), "no-name");
}

TEST_F(DisclaimerTest, it_is_there_to_be_locked) {
    file_.is_locked = true;
    EXPECT_EQ(reason(), "advisory");
}

TEST_F(DisclaimerTest, files_are_not_seen_to_be_made_there) {
    is_seen_there_ = false;
    EXPECT_EQ(reason(), "file-system");
}

TEST_F(DisclaimerTest, it_is_older_than_the_daemon) {
    file_.id.born_ns = 9'000'000'000;
    EXPECT_EQ(reason(), "older");
    file_.id.born_ns = 0;
    EXPECT_EQ(reason(), "not-exclusive") << "nobody knows when it was born";
}

TEST_F(DisclaimerTest, nobody_looks_where_it_is) {
    is_followed_ = false;
    EXPECT_EQ(reason(), "users-mounts");
}

TEST_F(DisclaimerTest, it_can_be_no_lock_at_all) {
    file_.type = FileType::other;
    EXPECT_EQ(reason(), "");
}

} // namespace
} // namespace egb::lockfile
