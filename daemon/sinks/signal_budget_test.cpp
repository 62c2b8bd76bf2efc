// SPDX-License-Identifier: Apache-2.0
#include "sinks/signal_budget.hpp"

#include "core/kind_info.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace egb::sinks {
namespace {

constexpr KindInfo tcp{
    .name = "tcp", .summary = {}, .reach = Reach::cleans, .options = {}, .evidence = {}, .capabilities = {}};
constexpr KindInfo ipc{
    .name = "ipc", .summary = {}, .reach = Reach::reports, .options = {}, .evidence = {}, .capabilities = {}};
constexpr Instant start{1h};

Incident incident_of(GhostId id, const KindInfo& kind = tcp, IncidentType type = IncidentType::appeared) {
    auto ghost = std::make_shared<Ghost>();
    ghost->id = id;
    ghost->kind = &kind;
    Incident incident;
    incident.type = type;
    incident.ghost = std::move(ghost);
    return incident;
}

TEST(SignalBudget, TellsFewOneByOneAndAtOnce) {
    SignalBudget budget;
    budget.take(incident_of(1), start);
    budget.take(incident_of(2), start);

    const auto told = budget.due(start);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].incident.ghost->id, 1U);
    EXPECT_EQ(told[1].incident.ghost->id, 2U);
    EXPECT_EQ(told[1].more, 0U);
    EXPECT_TRUE(budget.due(start + 5s).empty());
    EXPECT_FALSE(budget.deadline());
}

TEST(SignalBudget, TellsAFloodByOneSignalAtTheEndOfItsSecond) {
    SignalBudget budget;
    for (GhostId id = 1; id <= 20'000; ++id) {
        budget.take(incident_of(id), start + 10ms);
    }
    EXPECT_EQ(budget.due(start + 10ms).size(), SignalBudget::most_singles);
    EXPECT_EQ(budget.deadline(), start + 10ms + SignalBudget::window);
    EXPECT_TRUE(budget.due(start + 900ms).empty());

    const auto rest = budget.due(start + 10ms + SignalBudget::window);
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].incident.ghost->id, 20'000U);
    EXPECT_EQ(rest[0].more + 1 + SignalBudget::most_singles, 20'000U);
    EXPECT_FALSE(budget.deadline());
}

TEST(SignalBudget, OneBeyondTheBudgetStandsForItselfOnly) {
    SignalBudget budget;
    for (GhostId id = 1; id <= SignalBudget::most_singles + 1; ++id) {
        budget.take(incident_of(id), start);
    }
    (void)budget.due(start);
    const auto rest = budget.due(start + SignalBudget::window);
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].more, 0U);
}

TEST(SignalBudget, ANewSecondHasANewBudgetAndTheOldRestGoesFirst) {
    SignalBudget budget;
    for (GhostId id = 1; id <= SignalBudget::most_singles + 3; ++id) {
        budget.take(incident_of(id), start);
    }
    (void)budget.due(start);
    budget.take(incident_of(1'000), start + 2s);

    const auto told = budget.due(start + 2s);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].incident.ghost->id, SignalBudget::most_singles + 3);
    EXPECT_EQ(told[0].more, 2U);
    EXPECT_EQ(told[1].incident.ghost->id, 1'000U);
}

TEST(SignalBudget, KindsAndSignalsDoNotTakeFromEachOther) {
    SignalBudget budget;
    for (GhostId id = 1; id <= 100; ++id) {
        budget.take(incident_of(id), start);
    }
    budget.take(incident_of(101, ipc), start);
    budget.take(incident_of(102, tcp, IncidentType::vanished), start);
    EXPECT_EQ(budget.due(start).size(), SignalBudget::most_singles + 2);
}

TEST(SignalBudget, AChangedGradeIsToldByTheSignalOfAppearing) {
    SignalBudget budget;
    for (GhostId id = 1; id <= SignalBudget::most_singles; ++id) {
        budget.take(incident_of(id), start);
    }
    budget.take(incident_of(1, tcp, IncidentType::changed), start);
    EXPECT_EQ(budget.due(start).size(), SignalBudget::most_singles);
}

} // namespace
} // namespace egb::sinks
