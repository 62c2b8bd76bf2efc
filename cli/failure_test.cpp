// SPDX-License-Identifier: Apache-2.0
#include "failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace egb::cli {

namespace {

using ::testing::HasSubstr;

struct Expected {
    const char* error;
    ExitCode code;
};

void PrintTo(const Expected& expected, std::ostream* out) {
    *out << expected.error;
}

class ErrorNames : public ::testing::TestWithParam<Expected> {};

TEST_P(ErrorNames, HaveAnExitCodeAndTheDaemonsWords) {
    const auto failure = failure_of(GetParam().error, "what happened");
    EXPECT_EQ(failure.code, GetParam().code);
    EXPECT_EQ(failure.message, "what happened");
}

INSTANTIATE_TEST_SUITE_P(
    All, ErrorNames,
    ::testing::Values(Expected{"org.eghostbuster1.Error.NoSuchGhost", ExitCode::not_found},
                      Expected{"org.eghostbuster1.Error.NoSuchKind", ExitCode::not_found},
                      Expected{"org.eghostbuster1.Error.NoSuchFile", ExitCode::not_found},
                      Expected{"org.eghostbuster1.Error.BadFilter", ExitCode::usage},
                      Expected{"org.eghostbuster1.Error.BadOption", ExitCode::usage},
                      Expected{"org.eghostbuster1.Error.Refused", ExitCode::refused},
                      Expected{"org.eghostbuster1.Error.Unsupported", ExitCode::refused},
                      Expected{"org.eghostbuster1.Error.Busy", ExitCode::refused},
                      Expected{"org.eghostbuster1.Error.Failed", ExitCode::partly},
                      Expected{"org.freedesktop.DBus.Error.LimitsExceeded", ExitCode::refused},
                      Expected{"org.freedesktop.DBus.Error.AccessDenied", ExitCode::denied},
                      Expected{"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                               ExitCode::denied},
                      Expected{"org.freedesktop.PolicyKit1.Error.Cancelled", ExitCode::denied},
                      Expected{"org.freedesktop.DBus.Error.ServiceUnknown", ExitCode::unreachable},
                      Expected{"org.freedesktop.DBus.Error.Spawn.ChildExited", ExitCode::unreachable},
                      Expected{"org.freedesktop.systemd1.NoSuchUnit", ExitCode::unreachable},
                      Expected{"org.freedesktop.DBus.Error.NoReply", ExitCode::unreachable},
                      Expected{"org.freedesktop.DBus.Error.Timeout", ExitCode::unreachable},
                      Expected{"org.freedesktop.DBus.Error.UnknownMethod", ExitCode::refused},
                      Expected{"org.freedesktop.DBus.Error.NoMemory", ExitCode::partly}));

TEST(Failure, NamesTheNextStep) {
    EXPECT_THAT(failure_of("org.eghostbuster1.Error.NoSuchGhost", "x").hint, HasSubstr("ghostctl list"));
    EXPECT_THAT(failure_of("org.freedesktop.DBus.Error.AccessDenied", "x").hint, HasSubstr("as root"));
    EXPECT_THAT(failure_of("org.freedesktop.DBus.Error.UnknownMethod", "x").hint,
                HasSubstr("systemctl restart eghostbuster"));
    EXPECT_THAT(not_running().hint, HasSubstr("systemctl start eghostbuster"));
    EXPECT_EQ(not_running().code, ExitCode::unreachable);
    EXPECT_EQ(no_bus("unix:path=/x", "nobody").code, ExitCode::unreachable);
}

TEST(Failure, AnErrorWithoutWordsIsNamed) {
    EXPECT_EQ(failure_of("org.example.Odd", "").message, "org.example.Odd");
}

TEST(Failure, WhatTheDaemonSaysCannotSpeakToTheTerminal) {
    EXPECT_EQ(failure_of("org.example.Odd", "a\x1b[2J").message, "a\\x1b[2J");
}

TEST(ExitCodes, AreThoseOfTheManual) {
    EXPECT_EQ(std::to_underlying(ExitCode::ok), 0);
    EXPECT_EQ(std::to_underlying(ExitCode::partly), 1);
    EXPECT_EQ(std::to_underlying(ExitCode::usage), 2);
    EXPECT_EQ(std::to_underlying(ExitCode::unreachable), 3);
    EXPECT_EQ(std::to_underlying(ExitCode::denied), 4);
    EXPECT_EQ(std::to_underlying(ExitCode::not_found), 5);
    EXPECT_EQ(std::to_underlying(ExitCode::refused), 6);
}

} // namespace

} // namespace egb::cli
