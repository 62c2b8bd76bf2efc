// SPDX-License-Identifier: Apache-2.0
#include "core/cleaner.hpp"

#include <gmock/gmock.h>

namespace egb {
namespace {

class KeepsNothing final : public Cleaner {
public:
    Result<> confirm(const Ghost& /*ghost*/) override { return {}; }
    std::vector<Outcome> clean(std::span<const GhostPtr> ghosts) override {
        return std::vector<Outcome>(ghosts.size());
    }
};

TEST(Cleaner, without_a_quarantine_cannot_put_back) {
    KeepsNothing cleaner;
    const auto restored = cleaner.restore(17);
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, ErrorCode::unsupported);
    EXPECT_THAT(restored.error().message, testing::HasSubstr("17"));
}

TEST(Cleaner, without_a_question_refuses_to_ask) {
    KeepsNothing cleaner;
    const std::vector<GhostPtr> ghosts(2, std::make_shared<const Ghost>());
    EXPECT_THAT(cleaner.ask(ghosts), testing::SizeIs(2));
    EXPECT_THAT(cleaner.ask(ghosts), testing::Each(testing::Field(&Outcome::verdict, Verdict::refused)));
}

TEST(Cleaner, tells_what_came_of_a_failure) {
    const auto verdict_of = [](ErrorCode code) {
        return outcome_of({.code = code, .message = "why"}).verdict;
    };
    EXPECT_EQ(verdict_of(ErrorCode::not_found), Verdict::gone);
    EXPECT_EQ(verdict_of(ErrorCode::changed), Verdict::refused);
    EXPECT_EQ(verdict_of(ErrorCode::unsupported), Verdict::refused);
    EXPECT_EQ(verdict_of(ErrorCode::io), Verdict::failed);
    EXPECT_EQ(outcome_of({.code = ErrorCode::io, .message = "why"}).reason, "why");
}

} // namespace
} // namespace egb
