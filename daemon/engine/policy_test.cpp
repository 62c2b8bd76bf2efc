// SPDX-License-Identifier: Apache-2.0
#include "engine/policy.hpp"

#include "core/option.hpp"
#include "harness/builders.hpp"
#include "harness/fake_kind.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <tuple>

namespace egb::engine {
namespace {

using namespace std::chrono_literals;

Ghost ghost_of(const KindInfo& kind, Grade grade) {
    auto ghost = test::make_ghost("k");
    ghost.kind = &kind;
    ghost.grade = grade;
    return ghost;
}

using Case = std::tuple<Reach, Grade, CleanPolicy, Health>;

class Decide : public testing::TestWithParam<Case> {};

// The rule about harm, written down once more: everything that is not named here is only reported.
bool may_clean(const Case& c) {
    return c == Case{Reach::cleans, Grade::proven, CleanPolicy::proven, Health::whole} ||
           c == Case{Reach::cleans, Grade::proven, CleanPolicy::suspected, Health::whole} ||
           c == Case{Reach::cleans, Grade::suspected, CleanPolicy::suspected, Health::whole};
}

TEST_P(Decide, cleans_only_what_the_rule_about_harm_permits) {
    const auto& [reach, grade, clean, health] = GetParam();
    const KindInfo& kind = reach == Reach::cleans ? test::fake_info() : test::fake_report_info();
    const auto decision = decide(ghost_of(kind, grade), {.clean = clean, .veto = 30s}, health);
    EXPECT_EQ(decision.action, may_clean(GetParam()) ? Action::clean : Action::report);
    EXPECT_FALSE(decision.reason.empty());
}

INSTANTIATE_TEST_SUITE_P(everything, Decide,
                         testing::Combine(testing::Values(Reach::reports, Reach::cleans),
                                          testing::Values(Grade::suspected, Grade::proven),
                                          testing::Values(CleanPolicy::never, CleanPolicy::proven,
                                                          CleanPolicy::suspected),
                                          testing::Values(Health::whole, Health::lossy)));

TEST(DecisionReason, names_what_stands_in_the_way) {
    const auto reason = [](const KindInfo& kind, Grade grade, CleanPolicy clean, Health health) {
        return decide(ghost_of(kind, grade), {.clean = clean, .veto = {}}, health).reason;
    };
    using testing::HasSubstr;
    EXPECT_THAT(reason(test::fake_report_info(), Grade::proven, CleanPolicy::proven, Health::whole),
                HasSubstr("only reports"));
    EXPECT_THAT(reason(test::fake_info(), Grade::proven, CleanPolicy::never, Health::whole),
                HasSubstr("Clean=never"));
    EXPECT_THAT(reason(test::fake_info(), Grade::suspected, CleanPolicy::proven, Health::whole),
                HasSubstr("only suspected"));
    EXPECT_THAT(reason(test::fake_info(), Grade::proven, CleanPolicy::proven, Health::lossy),
                HasSubstr("lost"));
    EXPECT_THAT(reason(test::fake_info(), Grade::proven, CleanPolicy::proven, Health::whole),
                HasSubstr("proven"));
}

TEST(KindPolicy, cleans_by_default_what_is_proven_and_gives_time_to_object) {
    const auto policy = kind_policy(OptionValues{common_kind_options()});
    EXPECT_EQ(policy.clean, CleanPolicy::proven);
    EXPECT_GE(policy.veto, 10s);
    EXPECT_EQ(KindPolicy{}.clean, CleanPolicy::proven);
}

TEST(KindPolicy, reads_every_choice_that_its_table_offers) {
    const auto table = common_kind_options();
    const auto clean = std::ranges::find(table, "Clean", &OptionSpec::name);
    ASSERT_NE(clean, table.end());
    ASSERT_EQ(clean->choices.size(), 3);
    for (const auto choice : clean->choices) {
        OptionValues section{table};
        ASSERT_TRUE(section.set("Clean", choice));
        ASSERT_TRUE(section.set("Veto", "5min"));
        EXPECT_EQ(kind_policy(section), (KindPolicy{.clean = *parse_clean_policy(choice), .veto = 5min}));
    }
}

TEST(KindPolicy, begins_with_enabled) {
    EXPECT_TRUE(OptionValues{common_kind_options()}.flag("Enabled"));
}

} // namespace
} // namespace egb::engine
