// SPDX-License-Identifier: Apache-2.0
#include "core/incident.hpp"

#include <gmock/gmock.h>

#include <stdexcept>
#include <vector>

namespace egb {
namespace {

class ActTest : public testing::Test {
protected:
    Act begin() {
        return {std::make_shared<const Ghost>(), [this](const GhostPtr&, const Outcome& outcome) {
                    recorded_.push_back(outcome);
                }};
    }

    std::vector<Outcome> recorded_;
    const Outcome cleaned_{.verdict = Verdict::cleaned, .reason = "it is gone"};
};

TEST_F(ActTest, records_what_came_of_it_once) {
    {
        auto act = begin();
        act.finish(cleaned_);
        act.finish({.verdict = Verdict::failed, .reason = "too late"});
    }
    EXPECT_THAT(recorded_, testing::ElementsAre(cleaned_));
}

TEST_F(ActTest, is_a_failure_when_abandoned) {
    std::ignore = begin();
    ASSERT_EQ(recorded_.size(), 1);
    EXPECT_EQ(recorded_[0].verdict, Verdict::failed);
    EXPECT_FALSE(recorded_[0].reason.empty());
}

TEST_F(ActTest, is_a_failure_when_an_exception_passes) {
    const auto fall_over = [this] {
        const auto act = begin();
        throw std::runtime_error{"out of luck"};
    };
    EXPECT_THROW(fall_over(), std::runtime_error);
    ASSERT_EQ(recorded_.size(), 1);
    EXPECT_EQ(recorded_[0].verdict, Verdict::failed);
}

TEST_F(ActTest, that_moved_on_is_recorded_by_its_new_owner_alone) {
    {
        auto first = begin();
        auto second = std::move(first);
        second.finish(cleaned_);
    }
    EXPECT_THAT(recorded_, testing::ElementsAre(cleaned_));
}

TEST(Incident, is_named_by_its_verdict_when_it_is_an_act) {
    Incident incident;
    incident.type = IncidentType::acted;
    incident.outcome.verdict = Verdict::gone;
    EXPECT_EQ(incident.name(), "gone");
    incident.type = IncidentType::pending;
    EXPECT_EQ(incident.name(), "pending");
}

TEST(IncidentType, reads_its_own_names_and_no_others) {
    for (const auto type : {IncidentType::appeared, IncidentType::changed, IncidentType::pending,
                            IncidentType::acted, IncidentType::vanished}) {
        EXPECT_EQ(parse_incident_type(to_string(type)), type);
    }
    EXPECT_FALSE(parse_incident_type("cleaned"));
    EXPECT_FALSE(parse_incident_type(""));
}

} // namespace
} // namespace egb
