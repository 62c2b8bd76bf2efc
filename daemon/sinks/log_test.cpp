// SPDX-License-Identifier: Apache-2.0
#include "sinks/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <spdlog/spdlog.h>

#include <string>
#include <tuple>

namespace egb::sinks {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What `act` has the daemon's log write to stderr.
template <typename Act>
std::string written(Act act) {
    testing::internal::CaptureStderr();
    act();
    spdlog::default_logger()->flush();
    return testing::internal::GetCapturedStderr();
}

TEST(Log, BeginsAtInfo) {
    const Log log{"test"};
    EXPECT_EQ(log.level(), "info");
    EXPECT_EQ(log.target(), "auto");
    EXPECT_EQ(log.identifier(), "test");
    const auto text = written([] {
        spdlog::info("it is told");
        spdlog::debug("it is not told");
    });
    EXPECT_THAT(text, HasSubstr("it is told"));
    EXPECT_THAT(text, Not(HasSubstr("it is not told")));
}

class LogLevel : public testing::TestWithParam<std::tuple<std::string, std::string, std::string>> {};

TEST_P(LogLevel, ShowsWhatItAsksForAndNoMore) {
    const auto& [level, shown, hidden] = GetParam();
    Log log{"test"};
    ASSERT_TRUE(log.set_level(level));
    EXPECT_EQ(log.level(), level) << "the name is given back as it was set";
    const auto text = written([] {
        spdlog::critical("at critical");
        spdlog::error("at error");
        spdlog::warn("at warning");
        spdlog::info("at info");
        spdlog::debug("at debug");
    });
    EXPECT_THAT(text, HasSubstr("at " + shown));
    EXPECT_THAT(text, Not(HasSubstr("at " + hidden)));
}

INSTANTIATE_TEST_SUITE_P(
    Log, LogLevel,
    testing::Values(std::tuple{"emerg", "critical", "error"}, std::tuple{"alert", "critical", "error"},
                    std::tuple{"crit", "critical", "error"}, std::tuple{"err", "error", "warning"},
                    std::tuple{"warning", "warning", "info"}, std::tuple{"notice", "info", "debug"},
                    std::tuple{"info", "info", "debug"}, std::tuple{"debug", "debug", "nothing"}));

TEST(Log, RefusesALevelThatThereIsNot) {
    Log log{"test"};
    const auto refused = log.set_level("loud");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
    EXPECT_THAT(refused.error().message, HasSubstr("loud"));
    EXPECT_EQ(log.level(), "info");
}

TEST(Log, GoesWhereItIsSent) {
    Log log{"test"};
    ASSERT_TRUE(log.set_target("null"));
    EXPECT_EQ(log.target(), "null");
    EXPECT_EQ(written([] {
                  spdlog::info("nobody hears it");
              }),
              "");
    ASSERT_TRUE(log.set_target("console"));
    EXPECT_THAT(written([] {
                    spdlog::info("heard again");
                }),
                HasSubstr("heard again"));
}

TEST(Log, RefusesATargetThatThereIsNot) {
    Log log{"test"};
    const auto refused = log.set_target("kmsg");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("auto, journal, console or null"));
    EXPECT_EQ(log.target(), "auto");
}

} // namespace
} // namespace egb::sinks
