// SPDX-License-Identifier: Apache-2.0
#include "trace/filter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>

namespace egb::trace {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(TraceFilter, HasExecAndExitWhenNothingIsSaid) {
    const auto filter = parse_filter("{}");
    ASSERT_TRUE(filter) << filter.error().message;
    EXPECT_EQ(*filter, Filter{});
    EXPECT_TRUE(filter->exec && filter->exit);
    EXPECT_FALSE(filter->fork);
}

TEST(TraceFilter, ReadsEveryKey) {
    const auto filter = parse_filter(R"({"events":["fork","exit"],"min_duration":2000000,"uid":4294967295,
        "comm":"sshd","unit":"ssh.service","cgroup":"/a","pid":7,"failed":true,"cwd":true})");
    ASSERT_TRUE(filter) << filter.error().message;
    const Filter expected{.exec = false,
                          .fork = true,
                          .exit = true,
                          .min_duration = 2s,
                          .uid = 4294967295U,
                          .comm = "sshd",
                          .unit = "ssh.service",
                          .cgroup = "/a",
                          .pid = 7,
                          .failed = true,
                          .cwd = true};
    EXPECT_EQ(*filter, expected);
}

struct Wrong {
    const char* json;
    const char* message;
};

class RefusedFilter : public testing::TestWithParam<Wrong> {};

TEST_P(RefusedFilter, SaysWhy) {
    const auto filter = parse_filter(GetParam().json);
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().code, ErrorCode::invalid);
    EXPECT_THAT(filter.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Filters, RefusedFilter,
    testing::Values(Wrong{"", "JSON object"}, Wrong{"[]", "JSON object"}, Wrong{"{", "JSON object"},
                    Wrong{R"({"comn":"x"})", "unknown key \"comn\"; known are events, min_duration"},
                    Wrong{R"({"uid":"0"})", "\"uid\" must be a number"},
                    Wrong{R"({"uid":-1})", "\"uid\" must be a number"},
                    Wrong{R"({"uid":4294967296})", "\"uid\" must be a number"},
                    Wrong{R"({"pid":0})", "\"pid\" must be at least 1"},
                    Wrong{R"({"failed":1})", "\"failed\" must be true or false"},
                    Wrong{R"({"min_duration":9223372036854775807})", "\"min_duration\" must be"},
                    Wrong{R"({"events":[]})", "at least one of"},
                    Wrong{R"({"events":["exek"]})", "there is no event \"exek\""},
                    Wrong{R"({"events":["exec"],"failed":true})", "only an exit has failed"},
                    Wrong{R"({"comm":"sixteen-letters-"})", "at most 15 bytes"},
                    Wrong{R"({"comm":"a\u0000b"})", "at most 15 bytes"},
                    Wrong{R"({"unit":"a/b"})", "without a slash"}));

TEST(TraceFilter, DoesNotReadWhatIsTooLong) {
    const auto filter = parse_filter(std::string(longest_filter, ' ') + "{}");
    ASSERT_FALSE(filter);
    EXPECT_THAT(filter.error().message, HasSubstr("at most 4096 bytes"));
}

TEST(TraceFilter, RepeatsNothingThatATerminalWouldObey) {
    const auto filter = parse_filter(R"({"\u001b[2J":1})");
    ASSERT_FALSE(filter);
    EXPECT_THAT(filter.error().message, HasSubstr("\\x1b[2J"));
}

TEST(TraceFilter, TakesTheLongestNames) {
    Filter filter;
    filter.comm = std::string(15, 'c');
    filter.unit = std::string(126, 'u');
    EXPECT_TRUE(check(filter));
    filter.unit += 'u';
    EXPECT_FALSE(check(filter));
}

} // namespace
} // namespace egb::trace
