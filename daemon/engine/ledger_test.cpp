// SPDX-License-Identifier: Apache-2.0
#include "engine/ledger.hpp"

#include "harness/builders.hpp"
#include "harness/fake_clock.hpp"
#include "harness/fake_kind.hpp"
#include "harness/recording_sink.hpp"

#include <gmock/gmock.h>

#include <ranges>

namespace egb::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class LedgerTest : public testing::Test {
protected:
    GhostPtr enter(const std::string& key, Grade grade = Grade::suspected) {
        auto ghost = test::make_ghost(key);
        ghost.grade = grade;
        return ledger_.enter(std::move(ghost));
    }

    [[nodiscard]] std::size_t suspected() const { return ledger_.count("some", Grade::suspected); }
    [[nodiscard]] std::size_t proven() const { return ledger_.count("some", Grade::proven); }

    test::FakeClock clock_;
    test::CountingIds ids_;
    test::RecordingSink sink_;
    Ledger ledger_{clock_, ids_, {&sink_}};
};

TEST_F(LedgerTest, gives_a_new_ghost_an_id_and_tells_that_it_appeared) {
    const auto ghost = enter("a");
    EXPECT_EQ(ghost->id, 1);
    EXPECT_EQ(ledger_.find(1), ghost);
    EXPECT_EQ(ledger_.find("some", "a"), ghost);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a"));
    EXPECT_EQ(sink_.last().at, clock_.wall_now());
}

TEST_F(LedgerTest, keeps_the_id_when_the_verdict_changes) {
    const auto before = enter("a");
    const auto after = enter("a", Grade::proven);
    EXPECT_EQ(after->id, before->id);
    EXPECT_EQ(ledger_.find(before->id)->grade, Grade::proven);
    EXPECT_EQ(before->grade, Grade::suspected);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "changed a"));
    EXPECT_EQ(ledger_.ghosts().size(), 1);
}

TEST_F(LedgerTest, tells_nothing_when_the_grade_stays) {
    enter("a");
    auto again = test::make_ghost("a");
    again.summary = "more is known of it";
    ledger_.enter(std::move(again));
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a"));
    EXPECT_EQ(ledger_.find("some", "a")->summary, "more is known of it");
}

TEST_F(LedgerTest, does_not_mix_up_kinds) {
    enter("a");
    auto other = test::make_ghost("a");
    other.kind = &test::fake_info();
    EXPECT_EQ(ledger_.enter(std::move(other))->id, 2);
    EXPECT_EQ(ledger_.find("some", "a")->id, 1);
    EXPECT_EQ(ledger_.find("fake", "a")->id, 2);
    EXPECT_EQ(ledger_.count("fake", Grade::suspected), 1);
    EXPECT_EQ(suspected(), 1);
}

TEST_F(LedgerTest, ends_a_ghost_that_vanished) {
    const auto ghost = enter("a");
    EXPECT_EQ(ledger_.vanish("some", "a", "it closed"), ghost);
    EXPECT_EQ(ledger_.find(ghost->id), nullptr);
    EXPECT_EQ(ledger_.find("some", "a"), nullptr);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "vanished a"));
    EXPECT_EQ(sink_.last().outcome.reason, "it closed");
}

TEST_F(LedgerTest, does_not_mind_the_end_of_what_it_does_not_know) {
    EXPECT_EQ(ledger_.vanish("some", "a", ""), nullptr);
    enter("b");
    EXPECT_EQ(ledger_.vanish("some", "a", ""), nullptr);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared b"));
}

TEST_F(LedgerTest, never_gives_an_id_again) {
    enter("a");
    ledger_.vanish("some", "a", "");
    EXPECT_EQ(enter("a")->id, 2);
}

TEST_F(LedgerTest, tells_of_a_pending_act) {
    ledger_.pending(enter("a"), Action::clean, 30s);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a"));
    EXPECT_EQ(sink_.last().until_act, 30s);
}

struct Ending {
    Verdict verdict;
    bool stays;
};

class LedgerActed : public LedgerTest, public testing::WithParamInterface<Ending> {};

TEST_P(LedgerActed, lets_go_only_of_what_is_gone) {
    const auto ghost = enter("a");
    ledger_.acted(ghost, {.verdict = GetParam().verdict, .reason = "because"}, "uid 1000");
    EXPECT_EQ(ledger_.find(ghost->id) != nullptr, GetParam().stays);
    EXPECT_EQ(suspected(), GetParam().stays ? 1 : 0);
    EXPECT_EQ(sink_.last().type, IncidentType::acted);
    EXPECT_EQ(sink_.last().outcome, (Outcome{.verdict = GetParam().verdict, .reason = "because"}));
    EXPECT_EQ(sink_.last().actor, "uid 1000");
}

INSTANTIATE_TEST_SUITE_P(verdicts, LedgerActed,
                         testing::Values(Ending{Verdict::cleaned, false}, Ending{Verdict::gone, false},
                                         Ending{Verdict::refused, true}, Ending{Verdict::failed, true}));

TEST_F(LedgerTest, counts_by_grade) {
    EXPECT_EQ(suspected(), 0);
    enter("a");
    enter("b");
    enter("c", Grade::proven);
    EXPECT_EQ(suspected(), 2);
    EXPECT_EQ(proven(), 1);
    enter("a", Grade::proven);
    EXPECT_EQ(suspected(), 1);
    EXPECT_EQ(proven(), 2);
    ledger_.vanish("some", "a", "");
    EXPECT_EQ(proven(), 1);
    EXPECT_EQ(ledger_.count("unheard-of", Grade::proven), 0);
}

TEST_F(LedgerTest, counts_the_verdict_that_stands_when_an_older_one_was_acted_upon) {
    const auto before = enter("a");
    enter("a", Grade::proven);
    ledger_.acted(before, {.verdict = Verdict::cleaned, .reason = ""}, "policy");
    EXPECT_EQ(suspected(), 0);
    EXPECT_EQ(proven(), 0);
}

TEST_F(LedgerTest, neither_counts_nor_mentions_a_hidden_ghost) {
    const auto ghost = enter("a");
    sink_.clear();
    ledger_.hide(ghost->id);
    EXPECT_TRUE(ledger_.hidden(ghost->id));
    EXPECT_EQ(suspected(), 0);
    ledger_.pending(enter("a", Grade::proven), Action::clean, 30s);
    EXPECT_EQ(proven(), 0);
    EXPECT_NE(ledger_.find(ghost->id), nullptr);
    ledger_.vanish("some", "a", "it closed");
    EXPECT_THAT(sink_.story(), testing::IsEmpty());
    EXPECT_FALSE(ledger_.hidden(ghost->id));
    EXPECT_EQ(proven(), 0);
    EXPECT_EQ(suspected(), 0);
}

TEST_F(LedgerTest, tells_of_an_act_even_on_a_hidden_ghost) {
    const auto ghost = enter("a");
    ledger_.hide(ghost->id);
    ledger_.acted(ghost, {.verdict = Verdict::cleaned, .reason = ""}, "uid 0");
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "cleaned a"));
    EXPECT_FALSE(ledger_.hidden(ghost->id));
}

TEST_F(LedgerTest, shows_what_was_hidden_as_if_it_had_just_appeared) {
    const auto ghost = enter("a");
    ledger_.hide(ghost->id);
    ledger_.hide(ghost->id);
    enter("a", Grade::proven);
    ledger_.show(ghost->id);
    EXPECT_EQ(proven(), 1);
    EXPECT_EQ(suspected(), 0);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "appeared a"));
    ledger_.show(ghost->id);
    EXPECT_EQ(proven(), 1);
    EXPECT_THAT(sink_.story(), testing::SizeIs(2));
}

TEST_F(LedgerTest, cannot_hide_what_it_does_not_know) {
    ledger_.hide(17);
    EXPECT_FALSE(ledger_.hidden(17));
}

TEST_F(LedgerTest, lets_the_kind_describe_its_ghost) {
    ledger_.set_describe([](const Ghost& ghost) {
        return [key = ghost.key] {
            return Fields{{.name = "name", .value = key}};
        };
    });
    enter("a");
    EXPECT_THAT(sink_.last().fields(), ElementsAre(Field{.name = "name", .value = std::string{"a"}}));
}

TEST_F(LedgerTest, tells_every_sink_and_flushes_every_sink) {
    test::RecordingSink second;
    Ledger ledger{clock_, ids_, {&sink_, &second}};
    EXPECT_FALSE(ledger.unflushed());
    ledger.enter(test::make_ghost("a"));
    EXPECT_TRUE(ledger.unflushed());
    ledger.flush();
    EXPECT_FALSE(ledger.unflushed());
    EXPECT_THAT(second.story(), ElementsAre("appeared a"));
    EXPECT_EQ(sink_.flushes(), 1);
    EXPECT_EQ(second.flushes(), 1);
}

TEST_F(LedgerTest, lists_in_the_order_of_appearance) {
    enter("c");
    enter("a");
    enter("b");
    enter("c", Grade::proven);
    EXPECT_THAT(ledger_.ghosts() | std::views::keys | std::ranges::to<std::vector>(), ElementsAre(1, 2, 3));
    EXPECT_EQ(ledger_.ghosts().at(1)->key, "c");
}

} // namespace
} // namespace egb::engine
