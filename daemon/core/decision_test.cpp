// SPDX-License-Identifier: Apache-2.0
#include "core/decision.hpp"

#include <gtest/gtest.h>

namespace egb {
namespace {

TEST(CleanPolicy, reads_its_own_names) {
    for (const auto policy : {CleanPolicy::never, CleanPolicy::proven, CleanPolicy::suspected}) {
        EXPECT_EQ(parse_clean_policy(to_string(policy)), policy);
    }
}

TEST(CleanPolicy, refuses_every_other_name) {
    for (const auto* text : {"", "Proven", "always", "proven "}) {
        const auto policy = parse_clean_policy(text);
        ASSERT_FALSE(policy) << text;
        EXPECT_EQ(policy.error().code, ErrorCode::invalid);
    }
}

// These words are the API: they stand in JSON, in journal fields and on the bus.
TEST(Decision, has_stable_names) {
    EXPECT_EQ(to_string(Action::ignore), "ignore");
    EXPECT_EQ(to_string(Action::report), "report");
    EXPECT_EQ(to_string(Action::clean), "clean");
    EXPECT_EQ(to_string(Verdict::cleaned), "cleaned");
    EXPECT_EQ(to_string(Verdict::gone), "gone");
    EXPECT_EQ(to_string(Verdict::refused), "refused");
    EXPECT_EQ(to_string(Verdict::failed), "failed");
}

// What is forgotten must not look like a success.
TEST(Outcome, is_a_failure_until_said_otherwise) {
    EXPECT_EQ(Outcome{}.verdict, Verdict::failed);
}

} // namespace
} // namespace egb
