// SPDX-License-Identifier: Apache-2.0
#include "bus/call_budget.hpp"

#include "core/format.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace egb::bus {
namespace {

constexpr Instant start{1h};

int calls_until_refused(CallBudget& budget, std::string_view payer, double cost, Instant now) {
    int calls = 0;
    while (budget.take(payer, cost, now)) {
        ++calls;
    }
    return calls;
}

TEST(CallBudget, HasABurstAndThenARate) {
    CallBudget budget;
    EXPECT_EQ(calls_until_refused(budget, "uid 1000", 1, start), 100);
    EXPECT_EQ(calls_until_refused(budget, "uid 1000", 1, start + 1s), 50);
    EXPECT_EQ(calls_until_refused(budget, "uid 1000", 1, start + 1h), 100) << "it does not pile up";
}

TEST(CallBudget, TakesMoreForWhatCostsMore) {
    CallBudget budget;
    EXPECT_EQ(calls_until_refused(budget, "uid 1000", 20, start), 5);
}

TEST(CallBudget, LetsNobodyPayForOthers) {
    CallBudget budget;
    (void)calls_until_refused(budget, "uid 1000", 1, start);
    EXPECT_TRUE(budget.take("uid 1001", 1, start));
}

TEST(CallBudget, GivesNoNewBurstToANewConnectionOfTheSameUser) {
    CallBudget budget;
    EXPECT_TRUE(budget.take(":1.5", 90, start));
    budget.hand_over(":1.5", "uid 1000", start);
    EXPECT_EQ(calls_until_refused(budget, "uid 1000", 1, start), 10);
    EXPECT_TRUE(budget.take(":1.6", 90, start));
    budget.hand_over(":1.6", "uid 1000", start);
    EXPECT_FALSE(budget.take("uid 1000", 1, start));
    EXPECT_EQ(budget.payers(), 1U);
}

TEST(CallBudget, ForgetsWhoHasSpentLeastWhenThereAreTooMany) {
    CallBudget budget;
    (void)calls_until_refused(budget, "uid 1000", 1, start);
    for (std::size_t other = 0; other < 2 * CallBudget::most_payers; ++other) {
        EXPECT_TRUE(budget.take(formatted(":1.{}", other), 1, start));
    }
    EXPECT_EQ(budget.payers(), CallBudget::most_payers);
    EXPECT_FALSE(budget.take("uid 1000", 1, start));
}

} // namespace
} // namespace egb::bus
