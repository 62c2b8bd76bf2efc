// SPDX-License-Identifier: Apache-2.0
#include "bus/errors.hpp"

#include <gtest/gtest.h>

namespace egb::bus {
namespace {

std::string name_of(ErrorCode code, Subject subject) {
    return to_bus_error({.code = code, .message = "why"}, subject).getName();
}

TEST(BusErrors, SayWhatWasNotFound) {
    EXPECT_EQ(name_of(ErrorCode::not_found, Subject::ghost), "org.eghostbuster1.Error.NoSuchGhost");
    EXPECT_EQ(name_of(ErrorCode::not_found, Subject::kind), "org.eghostbuster1.Error.NoSuchKind");
    EXPECT_EQ(name_of(ErrorCode::not_found, Subject::file), "org.eghostbuster1.Error.NoSuchFile");
}

TEST(BusErrors, TellAFilterFromAnOption) {
    EXPECT_EQ(name_of(ErrorCode::invalid, Subject::filter), "org.eghostbuster1.Error.BadFilter");
    EXPECT_EQ(name_of(ErrorCode::invalid, Subject::option), "org.eghostbuster1.Error.BadOption");
    EXPECT_EQ(name_of(ErrorCode::invalid, Subject::ghost), "org.eghostbuster1.Error.BadOption");
}

TEST(BusErrors, HaveANameForEveryCode) {
    EXPECT_EQ(name_of(ErrorCode::denied, Subject::ghost), "org.eghostbuster1.Error.Refused");
    EXPECT_EQ(name_of(ErrorCode::changed, Subject::ghost), "org.eghostbuster1.Error.Refused");
    EXPECT_EQ(name_of(ErrorCode::unsupported, Subject::kind), "org.eghostbuster1.Error.Unsupported");
    EXPECT_EQ(name_of(ErrorCode::busy, Subject::ghost), "org.eghostbuster1.Error.Busy");
    EXPECT_EQ(name_of(ErrorCode::lost, Subject::ghost), "org.eghostbuster1.Error.Failed");
    EXPECT_EQ(name_of(ErrorCode::io, Subject::file), "org.eghostbuster1.Error.Failed");
}

TEST(BusErrors, KeepTheMessageAndMakeItFitForTheBus) {
    EXPECT_EQ(to_bus_error({.code = ErrorCode::io, .message = "no \xFF"}, Subject::file).getMessage(),
              "no \\xff");
}

TEST(BusErrors, StayShortWhateverTheyRepeat) {
    const auto error =
        to_bus_error({.code = ErrorCode::io, .message = std::string(32 << 20, '\xFF')}, Subject::file);
    EXPECT_LE(error.getMessage().size(), 1'024 + 3);
    EXPECT_LE(limits_exceeded(std::string(5'000, 'x')).getMessage().size(), 1'024 + 3);
}

TEST(BusErrors, ThrowWhatWentWrongAndReturnWhatDidNot) {
    EXPECT_EQ(value_or_throw(Result<int>{5}, Subject::ghost), 5);
    EXPECT_THROW(value_or_throw(Result<int>{fail(ErrorCode::io, "no")}, Subject::ghost), sdbus::Error);
}

} // namespace
} // namespace egb::bus
