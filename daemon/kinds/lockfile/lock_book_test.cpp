// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lock_book.hpp"

#include "harness/builders.hpp"

#include <gtest/gtest.h>

#include <sys/sysmacros.h>

namespace egb::lockfile {
namespace {

constexpr std::int64_t born = 1'700'000'000'000'000'001;
constexpr std::uint64_t inode = 77;
const FileIdentity on_disk{.device = makedev(8, 1), .inode = inode, .born_ns = born};
const FileIdentity on_another_disk{.device = makedev(8, 2), .inode = inode, .born_ns = born};
const FileIdentity on_overlay{.device = makedev(0, 41), .inode = inode, .born_ns = born};
const FileIdentity on_another_overlay{.device = makedev(0, 42), .inode = inode, .born_ns = born};

/// Whether a lock of the one identity is found by the other.
bool finds(const FileIdentity& known, const FileIdentity& asked) {
    LockBook book;
    Lock lock;
    lock.id = known;
    lock.creator = test::make_process();
    book.add(lock);
    return book.find(asked) != nullptr;
}

TEST(LockBook, finds_a_file_by_its_identity) {
    EXPECT_TRUE(finds(on_disk, on_disk));
    EXPECT_TRUE(finds(on_overlay, on_overlay));
}

TEST(LockBook, finds_what_is_locked_over_overlayfs_by_what_lies_under_it) {
    EXPECT_TRUE(finds(on_overlay, on_disk));
}

TEST(LockBook, takes_no_copy_of_a_disk_for_it) {
    EXPECT_FALSE(finds(on_disk, on_another_disk));
}

TEST(LockBook, believes_no_file_system_that_a_user_can_bring) {
    EXPECT_FALSE(finds(on_overlay, on_another_overlay));
    EXPECT_FALSE(finds(on_disk, on_overlay));
}

TEST(LockBook, tells_no_files_apart_that_have_no_birth_time) {
    auto known = on_overlay;
    auto asked = on_disk;
    known.born_ns = 0;
    asked.born_ns = 0;
    EXPECT_FALSE(finds(known, asked));
}

TEST(LockBook, counts_what_a_user_has_made) {
    LockBook book;
    Lock lock;
    lock.creator = test::make_process({.uid = 1000});
    EXPECT_EQ(book.made_by(1000), 0U);
    const std::string key = book.add(lock).key();
    book.add(lock);
    EXPECT_EQ(book.made_by(1000), 1U) << "one in place of another";
    book.remove(key);
    EXPECT_EQ(book.made_by(1000), 0U);
}

} // namespace
} // namespace egb::lockfile
