// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lock.hpp"

#include "harness/builders.hpp"

#include <gtest/gtest.h>

#include <string>

namespace egb::lockfile {
namespace {

Lock some_lock() {
    Process creator = *test::make_process({.around = {"user.slice", "a b.service"}});
    creator.id.boot_id = "here";
    return {.kernel = {.inode = 77, .device = 8, .reserved = 0},
            .stamp_ns = 124,
            .made_ns = 123,
            .creator_forked_ns = 122,
            .creator_ended_ns = 125,
            .creator_status = 9,
            .way = EGB_LOCK_BY_OPEN,
            .inner_pid = 7,
            .pid_namespace = 4026531836,
            .name = {.mount_namespace = 4026531841, .path = "/tmp/with blank\nand \xff.lock"},
            .id = {.device = 8, .inode = 77, .born_ns = -5},
            .changed_ns = 9,
            .looked_ns = 0,
            .ownerless_changed_ns = 8,
            .creator = std::make_shared<const Process>(std::move(creator)),
            .elders = {.line = {{.boot_id = "here", .pid = 90, .start_ticks = 4}}, .gap = 2},
            .lasting = was_advisory,
            .outlived = 1,
            .let_go = 1,
            .ownerless = {}};
}

TEST(LockTextTest, a_lock_comes_back_as_it_was) {
    const Lock lock = some_lock();
    const auto back = lock_from({.key = lock.key(), .boot = "here", .text = to_text(lock)});
    ASSERT_TRUE(back);
    EXPECT_EQ(back->key(), lock.key());
    EXPECT_EQ(back->name, lock.name);
    EXPECT_EQ(back->id, lock.id);
    EXPECT_EQ(*back->creator, *lock.creator);
    EXPECT_EQ(back->elders, lock.elders);
    EXPECT_EQ(back->lasting, lock.lasting);
    EXPECT_EQ(back->ownerless_changed_ns, lock.ownerless_changed_ns);
    EXPECT_EQ(back->claim(), lock.claim());
    EXPECT_EQ(back->outlived, lock.outlived);
    EXPECT_EQ(back->let_go, lock.let_go);
    EXPECT_EQ(to_text(*back), to_text(lock));
}

TEST(LockTextTest, what_was_cut_or_changed_is_not_taken_for_a_lock) {
    const std::string text = to_text(some_lock());
    for (std::size_t length = 0; length < text.size(); ++length) {
        const auto cut = lock_from({.key = "", .boot = "", .text = text.substr(0, length)});
        EXPECT_FALSE(cut && to_text(*cut) == text) << length;
    }
    EXPECT_FALSE(lock_from({.key = "", .boot = "", .text = text + " 1"}));
    EXPECT_FALSE(lock_from({.key = "", .boot = "", .text = "1" + text.substr(1)}));
    EXPECT_FALSE(lock_from({.key = "", .boot = "", .text = "nonsense"}));
}

} // namespace
} // namespace egb::lockfile
