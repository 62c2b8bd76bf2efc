// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/codec.hpp"

#include "kinds/tcp/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egb::tcp {
namespace {

using testing::HasSubstr;

class TcpCodecTest : public testing::TestWithParam<std::string> {
protected:
    TcpCodec codec_;
};

TEST_P(TcpCodecTest, a_socket_comes_back_as_it_went) {
    const Fields fields{{"time_ns", std::uint64_t{9}},
                        {"cookie", std::uint64_t{4711}},
                        {"since_ns", std::uint64_t{1}},
                        {"quiet_ns", std::uint64_t{2}},
                        {"bytes_sent", std::uint64_t{3}},
                        {"bytes_acked", std::uint64_t{4}},
                        {"bytes_received", std::uint64_t{5}},
                        {"inode", std::uint64_t{10}},
                        {"receive_queue", std::uint64_t{6}},
                        {"send_queue", std::uint64_t{7}},
                        {"netns", std::uint64_t{4026531840}},
                        {"uid", std::uint64_t{33}},
                        {"local", GetParam()},
                        {"remote", GetParam()},
                        {"local_port", std::uint64_t{80}},
                        {"remote_port", std::uint64_t{51234}},
                        {"state", std::uint64_t{8}},
                        {"flags", std::uint64_t{1}}};
    const auto record = codec_.to_record(SightingType::seen, fields);
    ASSERT_TRUE(record) << record.error().message;
    const auto back = codec_.to_fields(SightingType::seen, *record);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, fields);
}

INSTANTIATE_TEST_SUITE_P(addresses, TcpCodecTest,
                         testing::Values("10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"));

TEST_F(TcpCodecTest, ends_holders_and_announcements_come_back_too) {
    const Fields end{{"cookie", std::uint64_t{1}},
                     {"netns", std::uint64_t{2}},
                     {"next_state", std::uint64_t{9}},
                     {"error", std::uint64_t{32}}};
    const Fields holder{{"cookie", std::uint64_t{1}},
                        {"start_boottime_ns", std::uint64_t{2}},
                        {"pid", std::uint64_t{3}},
                        {"fd", std::uint64_t{4}}};
    const Fields waiting{{"time_ns", std::uint64_t{7}}};
    const Fields owner{{"owner", std::uint64_t{1}},
                       {"start_ticks", std::uint64_t{2}},
                       {"open_files", std::uint64_t{3}},
                       {"file_limit", UINT64_MAX}};
    for (const auto& [type, fields] :
         {std::pair{SightingType::gone, end}, std::pair{SightingType::held, holder},
          std::pair{SightingType::seen, waiting}, std::pair{SightingType::seen, owner}}) {
        const auto record = codec_.to_record(type, fields);
        ASSERT_TRUE(record);
        EXPECT_EQ(codec_.to_fields(type, *record), fields);
    }
}

TEST_F(TcpCodecTest, what_does_not_fit_is_refused_by_name) {
    for (const auto& [field, problem] : {std::pair{Field{"cookei", std::uint64_t{1}}, "cookei"},
                                         std::pair{Field{"local_port", std::uint64_t{65536}}, "local_port"},
                                         std::pair{Field{"local_port", std::int64_t{-1}}, "local_port"},
                                         std::pair{Field{"local_port", std::string{"http"}}, "local_port"},
                                         std::pair{Field{"remote", std::string{"10.0.0"}}, "remote"},
                                         std::pair{Field{"remote", std::uint64_t{1}}, "remote"}}) {
        const auto record = codec_.to_record(SightingType::seen, {{"cookie", std::uint64_t{1}}, field});
        ASSERT_FALSE(record) << field.name;
        EXPECT_EQ(record.error().code, ErrorCode::invalid);
        EXPECT_THAT(record.error().message, HasSubstr(problem));
    }
}

TEST_F(TcpCodecTest, bytes_that_are_no_record_are_refused) {
    const std::array<std::byte, 20> bytes{};
    EXPECT_FALSE(codec_.to_fields(SightingType::seen, bytes));
    EXPECT_FALSE(codec_.to_fields(SightingType::gone, bytes));
    EXPECT_FALSE(codec_.to_fields(SightingType::held, std::span{bytes}.first(3)));
    EXPECT_FALSE(codec_.to_fields(SightingType::lost, bytes));
}

} // namespace
} // namespace egb::tcp
