// SPDX-License-Identifier: Apache-2.0
#include "engine/agenda.hpp"

#include <gmock/gmock.h>

namespace egb::engine {
namespace {

using namespace std::chrono_literals;

constexpr Instant noon{12h};

TEST(Agenda, calls_the_earliest_first) {
    Agenda agenda;
    agenda.set(1, noon + 3s);
    agenda.set(2, noon + 1s);
    agenda.set(3, noon + 2s);
    EXPECT_EQ(agenda.next(), noon + 1s);
    EXPECT_EQ(agenda.due(noon), std::nullopt);
    EXPECT_EQ(agenda.due(noon + 5s), 2);
    EXPECT_THAT(agenda.ids(), testing::ElementsAre(2, 3, 1));
}

TEST(Agenda, keeps_calling_until_the_ghost_is_struck_out) {
    Agenda agenda;
    agenda.set(1, noon);
    EXPECT_EQ(agenda.due(noon), 1);
    EXPECT_EQ(agenda.due(noon), 1);
    agenda.erase(1);
    EXPECT_EQ(agenda.due(noon), std::nullopt);
    EXPECT_EQ(agenda.next(), std::nullopt);
    EXPECT_FALSE(agenda.contains(1));
}

TEST(Agenda, knows_one_time_for_each_ghost) {
    Agenda agenda;
    agenda.set(1, noon);
    agenda.set(1, noon + 1h);
    EXPECT_EQ(agenda.size(), 1);
    EXPECT_EQ(agenda.when(1), noon + 1h);
    EXPECT_EQ(agenda.due(noon), std::nullopt);
    EXPECT_EQ(agenda.due(noon + 1h), 1);
}

TEST(Agenda, never_calls_what_stands_at_the_end_of_time) {
    Agenda agenda;
    agenda.set(1, end_of_time);
    EXPECT_TRUE(agenda.contains(1));
    EXPECT_EQ(agenda.next(), std::nullopt);
    EXPECT_EQ(agenda.due(end_of_time), std::nullopt);
}

TEST(Agenda, does_not_mind_what_it_does_not_know) {
    Agenda agenda;
    agenda.erase(7);
    EXPECT_EQ(agenda.when(7), std::nullopt);
    EXPECT_EQ(agenda.size(), 0);
}

} // namespace
} // namespace egb::engine
