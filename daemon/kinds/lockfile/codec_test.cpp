// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/codec.hpp"

#include "kinds/lockfile/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

namespace egb::lockfile {
namespace {

using testing::HasSubstr;

const Fields lock_fields{{"path", std::string{"/srv/app/app.lock"}},
                         {"device", std::uint64_t{8}},
                         {"inode", std::uint64_t{77}},
                         {"born_ns", std::uint64_t{1'700'000'000'000'000'000}},
                         {"made_ns", std::uint64_t{3}},
                         {"ownerless_ns", std::uint64_t{4}},
                         {"size", std::uint64_t{5}},
                         {"facts", std::string{"creator_killed holds_data"}},
                         {"wait_status", std::uint64_t{9}},
                         {"holders", std::uint64_t{1}},
                         {"named_pid", std::uint64_t{90}},
                         {"mount_namespace", std::uint64_t{4026531841}},
                         {"way", std::string{"symlink"}}};

TEST(LockCodecTest, a_lock_comes_back_as_it_went) {
    const LockCodec codec;
    const auto record = codec.to_record(SightingType::seen, lock_fields);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(codec.to_fields(SightingType::seen, *record), lock_fields);
    const auto lock = read_lock(*record);
    ASSERT_TRUE(lock);
    EXPECT_EQ(lock->record.facts, creator_killed | holds_data);
    EXPECT_EQ(lock->record.way, EGB_LOCK_BY_SYMLINK);
}

TEST(LockCodecTest, so_does_one_that_is_gone) {
    const LockCodec codec;
    const Fields gone{
        {"device", std::uint64_t{8}}, {"inode", std::uint64_t{77}}, {"born_ns", std::uint64_t{1}}};
    const auto record = codec.to_record(SightingType::gone, gone);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(codec.to_fields(SightingType::gone, *record), gone);
    EXPECT_FALSE(codec.to_record(SightingType::gone, lock_fields)) << "it has no path any more";
}

TEST(LockCodecTest, every_fact_has_a_word) {
    const LockCodec codec;
    constexpr unsigned facts = std::numeric_limits<decltype(LockRecord::facts)>::digits;
    for (unsigned bit = 0; bit < facts; ++bit) {
        SeenLock lock{.record = {}, .path = "/x"};
        lock.record.facts = 1U << bit;
        lock.record.way = EGB_LOCK_BY_OPEN;
        const auto fields = codec.to_fields(SightingType::seen, bytes_of(lock, RecordType::lock));
        ASSERT_TRUE(fields);
        const auto again = codec.to_record(SightingType::seen, *fields);
        ASSERT_TRUE(again) << bit;
        EXPECT_EQ(read_lock(*again)->record.facts, lock.record.facts) << bit;
    }
}

TEST(LockCodecTest, what_does_not_fit_is_refused_by_name) {
    const LockCodec codec;
    for (const auto& [field, problem] :
         {std::pair{Field{"inoed", std::uint64_t{1}}, "inoed"},
          std::pair{Field{"holders", std::uint64_t{1} << 32U}, "holders"},
          std::pair{Field{"inode", std::int64_t{-1}}, "inode"},
          std::pair{Field{"path", std::uint64_t{1}}, "path"},
          std::pair{Field{"path", std::string(EGB_LOCK_PATH + 1, 'x')}, "path"},
          std::pair{Field{"way", std::string{"magic"}}, "way"}, std::pair{Field{"way", true}, "way"},
          std::pair{Field{"facts", std::string{"creator_killed  is_held"}}, "facts"},
          std::pair{Field{"facts", std::string{"creator_kileld"}}, "facts"},
          std::pair{Field{"facts", std::uint64_t{1}}, "facts"}}) {
        const auto record = codec.to_record(SightingType::seen, {field});
        ASSERT_FALSE(record) << problem;
        EXPECT_EQ(record.error().code, ErrorCode::invalid);
        EXPECT_THAT(record.error().message, HasSubstr(problem));
    }
}

TEST(LockCodecTest, bytes_that_are_no_record_are_refused) {
    const LockCodec codec;
    const std::array<std::byte, 20> bytes{};
    EXPECT_FALSE(codec.to_fields(SightingType::seen, bytes));
    EXPECT_FALSE(codec.to_fields(SightingType::gone, bytes));
    EXPECT_FALSE(codec.to_fields(SightingType::lost, bytes));
}

} // namespace
} // namespace egb::lockfile
