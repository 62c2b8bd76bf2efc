// SPDX-License-Identifier: Apache-2.0
// The rule about harm, one test for each of its sentences. Each must fail when its sentence is taken out of
// the code.
#include "engine/pipeline.hpp"

#include "core/format.hpp"
#include "harness/builders.hpp"
#include "harness/fake_clock.hpp"
#include "harness/fake_kind.hpp"
#include "harness/recording_sink.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <ostream>
#include <stdexcept>
#include <utility>

namespace egb::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Span veto = 30s;
constexpr Span cooldown = 10min;
constexpr KindPolicy clean_proven{.clean = CleanPolicy::proven, .veto = veto};

GovernorLimits generous() {
    return {.paused = false,
            .acts_per_minute = 1'000'000,
            .acts_per_minute_per_unit = 1'000'000,
            .cooldown = cooldown,
            .protect = {}};
}

class PipelineTest : public testing::Test {
protected:
    PipelineTest() {
        pipeline_.add(kind_, clean_proven);
        pipeline_.add(reporter_, clean_proven);
    }

    /// The thing is seen; returns which ghost it is, 0 when it has been cleaned already.
    GhostId appear(const std::string& key, Grade grade = Grade::proven,
                   const std::vector<Holder>& holders = {}) {
        kind_.plant(key, grade, holders);
        pipeline_.tick();
        const auto ghost = ledger_.find("fake", key);
        return ghost ? ghost->id : 0;
    }

    void pass(Span span) {
        clock_.advance(span);
        pipeline_.tick();
    }

    template <typename T>
    void limit(T GovernorLimits::* member, T value) {
        auto limits = governor_.limits();
        limits.*member = std::move(value);
        governor_.set_limits(std::move(limits));
    }

    [[nodiscard]] const std::vector<std::string>& cleaned() { return kind_.fake_cleaner().cleaned(); }
    [[nodiscard]] const std::vector<std::string>& confirmed() { return kind_.fake_cleaner().confirmed(); }

    /// Nothing was touched, and it was told why.
    void expect_called_off(std::string_view why) {
        EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a", "refused a"));
        EXPECT_THAT(sink_.last().outcome.reason, HasSubstr(why));
        EXPECT_EQ(sink_.last().actor, "policy");
        pass(1h);
        EXPECT_THAT(confirmed(), IsEmpty());
    }

    test::FakeClock clock_;
    test::CountingIds ids_;
    test::RecordingSink sink_;
    Ledger ledger_{clock_, ids_, {&sink_}};
    Governor governor_{generous()};
    test::FakeKind kind_{clock_};
    test::FakeKind reporter_{clock_, test::fake_report_info()};
    Pipeline pipeline_{clock_, governor_, ledger_};
};

// What is proven is cleaned; what is suspected is reported.

TEST_F(PipelineTest, cleans_what_is_proven_after_its_veto_window) {
    appear("a");
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a"));
    EXPECT_EQ(sink_.last().until_act, veto);
    pass(veto);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a", "cleaned a"));
    EXPECT_EQ(sink_.last().actor, "policy");
    EXPECT_EQ(ledger_.find("fake", "a"), nullptr);
}

TEST_F(PipelineTest, waits_for_the_whole_veto_window) {
    appear("a");
    pass(veto - 1ns);
    EXPECT_THAT(confirmed(), IsEmpty());
    EXPECT_EQ(pipeline_.deadline(), clock_.now() + 1ns);
}

TEST_F(PipelineTest, announces_even_when_there_is_no_time_to_object) {
    pipeline_.set_policy("fake", {.clean = CleanPolicy::proven, .veto = 0s});
    appear("a");
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a", "cleaned a"));
}

// Very many, where there is no time to object, are acted upon before they are told of.

class PipelineFlood : public PipelineTest {
protected:
    static constexpr std::size_t many = 1'000;

    PipelineFlood() {
        pipeline_.set_policy("fake", {.clean = CleanPolicy::proven, .veto = 0s});
        for (std::size_t number = 1; number < many; ++number) {
            kind_.plant(std::to_string(number), Grade::proven);
        }
    }

    /// What is told of one of them, once there is time for it.
    [[nodiscard]] std::vector<std::string> story_of(std::string_view key) {
        ledger_.flush();
        std::vector<std::string> told;
        for (const std::string& line : sink_.story()) {
            if (line.ends_with(formatted(" {}", key))) {
                told.push_back(line);
            }
        }
        return told;
    }
};

TEST_F(PipelineFlood, what_was_done_is_told) {
    appear("a");
    EXPECT_THAT(story_of("a"), ElementsAre("appeared a", "cleaned a"));
    EXPECT_TRUE(ledger_.ghosts().empty());
    EXPECT_EQ(ledger_.count("fake", Grade::proven), 0U);
    EXPECT_EQ(cleaned().size(), many);
}

TEST_F(PipelineFlood, what_was_not_done_is_listed) {
    kind_.fake_cleaner().answer_clean([](const Ghost& ghost) {
        return ghost.key == "a" ? Outcome{.verdict = Verdict::refused, .reason = "it has changed"}
                                : Outcome{.verdict = Verdict::cleaned, .reason = ""};
    });
    EXPECT_NE(appear("a"), 0U);
    EXPECT_THAT(story_of("a"), ElementsAre("appeared a", "refused a"));
    EXPECT_EQ(ledger_.count("fake", Grade::proven), 1U);
    kind_.fake_cleaner().answer_clean([](const Ghost& /*ghost*/) {
        return Outcome{.verdict = Verdict::cleaned, .reason = ""};
    });
    pass(cooldown);
    EXPECT_THAT(story_of("a"), ElementsAre("appeared a", "refused a", "pending a", "cleaned a"));
    EXPECT_EQ(ledger_.count("fake", Grade::proven), 0U);
}

TEST_F(PipelineFlood, what_is_not_confirmed_is_listed) {
    kind_.fake_cleaner().answer_confirm(fail(ErrorCode::changed, "it moves"));
    appear("a");
    EXPECT_THAT(story_of("a"), ElementsAre("appeared a", "refused a"));
    EXPECT_THAT(cleaned(), IsEmpty());
    EXPECT_EQ(ledger_.ghosts().size(), many);
}

TEST_F(PipelineFlood, what_is_held_is_left_alone) {
    pipeline_.recall({Hold{.kind = "fake", .key = "a", .action = Action::report, .until = end_of_time}});
    appear("a");
    EXPECT_THAT(story_of("a"), ElementsAre("appeared a"));
    EXPECT_EQ(cleaned().size(), many - 1);
}

TEST_F(PipelineFlood, a_pause_holds_for_all) {
    limit(&GovernorLimits::paused, true);
    appear("a");
    EXPECT_THAT(cleaned(), IsEmpty());
}

TEST_F(PipelineFlood, the_limits_hold) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{10});
    appear("a");
    EXPECT_EQ(cleaned().size(), 10U);
    EXPECT_EQ(ledger_.count("fake", Grade::proven), many - 10);
    pass(1min);
    EXPECT_EQ(cleaned().size(), 20U);
}

TEST_F(PipelineFlood, who_waits_already_comes_first) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{1});
    kind_.plant("a", Grade::proven);
    pipeline_.tick();
    for (std::size_t number = many; number < 2 * many; ++number) {
        kind_.plant(std::to_string(number), Grade::proven);
    }
    const auto waiting = ledger_.ghosts();
    clock_.advance(1min);
    pipeline_.tick();
    ASSERT_EQ(cleaned().size(), 2U);
    EXPECT_TRUE(std::ranges::any_of(waiting, [this](const auto& each) {
        return each.second->key == cleaned().back();
    }));
}

TEST_F(PipelineTest, never_acts_when_the_veto_window_never_ends) {
    pipeline_.set_policy("fake", {.clean = CleanPolicy::proven, .veto = forever});
    appear("a");
    pass(100'000h);
    EXPECT_THAT(confirmed(), IsEmpty());
    EXPECT_EQ(pipeline_.deadline(), std::nullopt);
}

TEST_F(PipelineTest, only_reports_what_is_suspected) {
    appear("a", Grade::suspected);
    pass(100h);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a"));
    EXPECT_THAT(confirmed(), IsEmpty());
}

TEST_F(PipelineTest, cleans_what_is_suspected_when_the_policy_says_so) {
    pipeline_.set_policy("fake", {.clean = CleanPolicy::suspected, .veto = veto});
    appear("a", Grade::suspected);
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, cleans_nothing_when_the_policy_says_never) {
    pipeline_.set_policy("fake", {.clean = CleanPolicy::never, .veto = veto});
    appear("a");
    pass(100h);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a"));
}

TEST_F(PipelineTest, only_reports_what_is_of_a_kind_that_only_reports) {
    reporter_.plant("r", Grade::proven);
    pipeline_.tick();
    pass(veto);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared r"));
}

TEST_F(PipelineTest, begins_to_announce_when_a_suspicion_becomes_a_proof) {
    const auto id = appear("a", Grade::suspected);
    pass(1h);
    EXPECT_EQ(appear("a", Grade::proven), id);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "changed a", "pending a"));
    pass(veto - 1ns);
    EXPECT_THAT(cleaned(), IsEmpty());
    pass(1ns);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

// What calls an announced act off.

TEST_F(PipelineTest, hold_calls_it_off) {
    ASSERT_TRUE(pipeline_.hold(appear("a"), 24h));
    expect_called_off("held");
}

TEST_F(PipelineTest, ignore_calls_it_off) {
    ASSERT_TRUE(pipeline_.ignore(appear("a"), 24h));
    expect_called_off("ignored");
}

TEST_F(PipelineTest, a_pause_calls_it_off) {
    appear("a");
    limit(&GovernorLimits::paused, true);
    pipeline_.tick();
    expect_called_off("paused");
}

TEST_F(PipelineTest, a_pause_at_the_last_moment_is_in_time) {
    appear("a");
    limit(&GovernorLimits::paused, true);
    pass(veto);
    expect_called_off("paused");
}

TEST_F(PipelineTest, a_policy_that_would_not_begin_it_calls_it_off) {
    appear("a");
    pipeline_.set_policy("fake", {.clean = CleanPolicy::never, .veto = veto});
    expect_called_off("never");
}

TEST_F(PipelineTest, a_policy_that_no_longer_cleans_suspicions_calls_it_off) {
    pipeline_.set_policy("fake", {.clean = CleanPolicy::suspected, .veto = veto});
    appear("a", Grade::suspected);
    pipeline_.set_policy("fake", clean_proven);
    expect_called_off("suspected");
}

TEST_F(PipelineTest, lost_events_call_it_off) {
    appear("a");
    pipeline_.set_health("fake", Health::lossy);
    expect_called_off("lost");
}

TEST_F(PipelineTest, a_proof_that_becomes_a_suspicion_calls_it_off) {
    appear("a");
    sink_.clear();
    appear("a", Grade::suspected);
    EXPECT_THAT(sink_.story(), ElementsAre("changed a", "refused a"));
    pass(1h);
    EXPECT_THAT(confirmed(), IsEmpty());
}

TEST_F(PipelineTest, a_new_protection_calls_it_off) {
    appear("a", Grade::proven, test::held_by({.comm = "precious"}));
    limit(&GovernorLimits::protect, {"precious"});
    pipeline_.tick();
    expect_called_off("protected");
}

TEST_F(PipelineTest, a_protected_process_that_takes_hold_of_it_calls_it_off) {
    limit(&GovernorLimits::protect, {"precious"});
    appear("a", Grade::proven, test::held_by({.pid = 1}));
    auto holders = test::held_by({.pid = 1});
    holders.push_back(test::held_by({.pid = 2, .comm = "precious"}).front());
    appear("a", Grade::proven, holders);
    expect_called_off("protected");
}

TEST_F(PipelineTest, a_kind_that_can_no_longer_clean_calls_it_off) {
    appear("a");
    kind_.withdraw_cleaner();
    pass(veto);
    expect_called_off("cannot clean");
}

TEST_F(PipelineTest, a_ghost_that_vanishes_by_itself_is_not_acted_upon) {
    appear("a");
    kind_.remove("a");
    pass(veto);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a", "vanished a"));
    EXPECT_THAT(confirmed(), IsEmpty());
}

// What was called off begins anew, with the whole window.

TEST_F(PipelineTest, announces_anew_when_the_kind_is_whole_again) {
    appear("a");
    pipeline_.set_health("fake", Health::lossy);
    EXPECT_EQ(pipeline_.health("fake"), Health::lossy);
    pass(1h);
    sink_.clear();
    pipeline_.set_health("fake", Health::whole);
    EXPECT_THAT(sink_.story(), ElementsAre("pending a"));
    pass(veto - 1ns);
    EXPECT_THAT(cleaned(), IsEmpty());
    pass(1ns);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, begins_nothing_while_events_are_lost) {
    pipeline_.set_health("fake", Health::lossy);
    appear("a");
    pass(veto);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a"));
}

TEST_F(PipelineTest, announces_anew_after_a_pause) {
    appear("a");
    limit(&GovernorLimits::paused, true);
    pass(1h);
    sink_.clear();
    limit(&GovernorLimits::paused, false);
    EXPECT_EQ(pipeline_.deadline(), clock_.now());
    pipeline_.tick();
    EXPECT_THAT(sink_.story(), ElementsAre("pending a"));
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, announces_anew_when_a_hold_ends) {
    ASSERT_TRUE(pipeline_.hold(appear("a"), 1h));
    pipeline_.tick();
    EXPECT_EQ(pipeline_.deadline(), clock_.now() + 1h);
    sink_.clear();
    pass(1h - 1ns);
    EXPECT_THAT(sink_.story(), IsEmpty());
    pass(1ns);
    EXPECT_THAT(sink_.story(), ElementsAre("pending a"));
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

// Hold and ignore.

TEST_F(PipelineTest, hold_lasts_through_changes_of_the_verdict) {
    const auto id = appear("a");
    ASSERT_TRUE(pipeline_.hold(id, 24h));
    appear("a", Grade::suspected);
    EXPECT_EQ(appear("a", Grade::proven), id);
    pass(1h);
    EXPECT_THAT(confirmed(), IsEmpty());
    EXPECT_EQ(pipeline_.decision(*ledger_.find(id)).action, Action::report);
}

TEST_F(PipelineTest, ignore_lasts_through_changes_of_the_verdict) {
    const auto id = appear("a", Grade::suspected);
    ASSERT_TRUE(pipeline_.ignore(id, 24h));
    sink_.clear();
    EXPECT_EQ(appear("a", Grade::proven), id);
    pass(1h);
    EXPECT_TRUE(pipeline_.ignored(id));
    EXPECT_THAT(sink_.story(), IsEmpty());
    EXPECT_THAT(confirmed(), IsEmpty());
    EXPECT_EQ(pipeline_.decision(*ledger_.find(id)).action, Action::ignore);
}

TEST_F(PipelineTest, an_ignored_ghost_is_reported_again_when_the_time_is_over) {
    const auto id = appear("a", Grade::suspected);
    ASSERT_TRUE(pipeline_.ignore(id, 1h));
    EXPECT_EQ(ledger_.count("fake", Grade::suspected), 0);
    sink_.clear();
    pass(1h);
    EXPECT_FALSE(pipeline_.ignored(id));
    EXPECT_EQ(ledger_.count("fake", Grade::suspected), 1);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a"));
}

TEST_F(PipelineTest, hold_takes_the_place_of_ignore) {
    const auto id = appear("a");
    ASSERT_TRUE(pipeline_.ignore(id, 24h));
    ASSERT_TRUE(pipeline_.hold(id, 1h));
    EXPECT_FALSE(pipeline_.ignored(id));
    pass(1h);
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, to_hold_for_no_time_ends_a_hold) {
    const auto id = appear("a");
    ASSERT_TRUE(pipeline_.hold(id, 24h));
    ASSERT_TRUE(pipeline_.hold(id, 0s));
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, to_hold_for_ever_wakes_nobody) {
    ASSERT_TRUE(pipeline_.hold(appear("a"), forever));
    pipeline_.tick();
    EXPECT_EQ(pipeline_.deadline(), std::nullopt);
    EXPECT_THAT(pipeline_.decision(*ledger_.find("fake", "a")).reason, HasSubstr("infinity"));
}

TEST_F(PipelineTest, cannot_hold_what_is_not_there) {
    EXPECT_EQ(pipeline_.hold(17, 1h).error().code, ErrorCode::not_found);
    EXPECT_EQ(pipeline_.ignore(17, 1h).error().code, ErrorCode::not_found);
    EXPECT_EQ(pipeline_.hold(appear("a"), -1s).error().code, ErrorCode::invalid);
}

TEST_F(PipelineTest, a_hold_on_one_of_many_holds_what_stands_for_them_all) {
    const auto enter = [this](std::string_view key, bool sums_up, std::string_view group) {
        Ghost ghost;
        ghost.kind = &test::fake_info();
        ghost.key = key;
        ghost.grade = Grade::proven;
        ghost.sums_up = sums_up;
        ghost.group = group;
        return ledger_.enter(std::move(ghost));
    };
    const GhostPtr many = enter("many", true, "");
    const GhostPtr one = enter("one", false, "many");
    EXPECT_EQ(pipeline_.decision(*many).action, Action::clean);
    ASSERT_TRUE(pipeline_.hold(one->id, 1h));
    EXPECT_EQ(pipeline_.decision(*many).action, Action::report);
    EXPECT_EQ(pipeline_.clean(many->id, {.actor = "uid 0", .least = Grade::proven}).verdict,
              Verdict::refused);
    EXPECT_THAT(confirmed(), IsEmpty());
}

TEST_F(PipelineTest, a_hold_outlasts_its_ghost) {
    const auto id = appear("a");
    ASSERT_TRUE(pipeline_.hold(id, 24h));
    kind_.remove("a");
    pipeline_.tick();
    EXPECT_EQ(pipeline_.deadline(), std::nullopt);
    const auto again = appear("a");
    EXPECT_NE(again, id);
    pass(24h - 1ns);
    EXPECT_THAT(confirmed(), IsEmpty());
    pass(1ns);
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

class HoldsInMemory : public HoldStore {
public:
    void keep(const Hold& hold) override { holds_.push_back(hold); }
    [[nodiscard]] Result<std::vector<Hold>> holds() const override { return holds_; }

private:
    std::vector<Hold> holds_;
};

TEST_F(PipelineTest, a_hold_outlasts_the_daemon) {
    HoldsInMemory store;
    pipeline_.keep_holds_in(store);
    ASSERT_TRUE(pipeline_.hold(appear("a"), 24h));
    ASSERT_TRUE(pipeline_.ignore(appear("b"), 24h));

    test::FakeKind kind{clock_};
    Ledger ledger{clock_, ids_, {}};
    Pipeline next{clock_, governor_, ledger};
    next.recall(store.holds().value());
    next.add(kind, clean_proven);
    kind.plant("a", Grade::proven, {});
    kind.plant("b", Grade::proven, {});
    next.tick();
    clock_.advance(2 * veto);
    next.tick();
    EXPECT_THAT(kind.fake_cleaner().confirmed(), IsEmpty());
    EXPECT_TRUE(next.ignored(ledger.find("fake", "b")->id));
    EXPECT_EQ(next.decision(*ledger.find("fake", "a")).action, Action::report);
}

TEST_F(PipelineTest, a_store_that_can_be_read_again_calls_off_what_it_holds) {
    HoldsInMemory store;
    appear("a");
    store.keep({.kind = "fake", .key = "a"});
    pipeline_.recall(store.holds().value());
    expect_called_off("held");
}

TEST_F(PipelineTest, what_is_ignored_comes_again_unseen) {
    ASSERT_TRUE(pipeline_.ignore(appear("a"), 24h));
    kind_.remove("a");
    pipeline_.tick();
    sink_.clear();
    const auto again = appear("a");
    EXPECT_TRUE(pipeline_.ignored(again));
    EXPECT_EQ(ledger_.count("fake", Grade::proven), 0);
    EXPECT_THAT(sink_.story(), IsEmpty());
    pass(24h);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a"));
}

TEST_F(PipelineTest, a_cooldown_outlasts_its_ghost) {
    kind_.fake_cleaner().answer_clean([](const Ghost&) {
        return Outcome{};
    });
    appear("a");
    pass(veto);
    kind_.remove("a");
    pipeline_.tick();
    appear("a");
    pass(cooldown - 1ns);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, what_takes_the_place_of_an_ended_ghost_stays) {
    const auto id = appear("a");
    kind_.remove("a");
    const auto again = appear("a");
    EXPECT_NE(again, id);
    ASSERT_NE(ledger_.find(again), nullptr);
    EXPECT_THAT(sink_.story(),
                ElementsAre("appeared a", "pending a", "vanished a", "appeared a", "pending a"));
}

// What is only suspected is asked, when its kind has a question.

class AskingPipeline : public PipelineTest {
protected:
    AskingPipeline() { kind_.fake_tracker().set_askable(); }

    [[nodiscard]] const std::vector<std::string>& asked() { return kind_.fake_cleaner().asked(); }
};

TEST_F(AskingPipeline, asks_what_is_suspected_after_its_veto_window) {
    appear("a", Grade::suspected);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a"));
    pass(veto);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a", "asked a"));
    EXPECT_NE(ledger_.find("fake", "a"), nullptr) << "the answer decides";
    EXPECT_THAT(cleaned(), IsEmpty());
}

TEST_F(AskingPipeline, what_does_not_answer_was_cleaned) {
    appear("a", Grade::suspected);
    pass(veto);
    kind_.fake_tracker().stay_silent("a");
    pipeline_.tick();
    EXPECT_EQ(sink_.last().outcome.verdict, Verdict::cleaned);
    EXPECT_EQ(sink_.last().actor, "policy");
    EXPECT_EQ(ledger_.find("fake", "a"), nullptr);
}

TEST_F(AskingPipeline, a_question_is_called_back_when_nothing_is_to_be_done_any_more) {
    const std::vector<std::pair<std::string, std::function<void(GhostId)>>> ways{
        {"hold",
         [this](GhostId id) {
             EXPECT_TRUE(pipeline_.hold(id, 1min));
         }},
        {"pause",
         [this](GhostId) {
             limit(&GovernorLimits::paused, true);
             pipeline_.tick();
             limit(&GovernorLimits::paused, false);
         }},
        {"policy",
         [this](GhostId) {
             pipeline_.set_policy("fake", {.clean = CleanPolicy::never, .veto = veto});
             pipeline_.tick();
         }},
    };
    for (const auto& [name, call_back] : ways) {
        const GhostId id = appear(name, Grade::suspected);
        pass(veto);
        ASSERT_THAT(asked(), testing::Contains(name));
        EXPECT_THAT(kind_.fake_cleaner().taken_back(), testing::Not(testing::Contains(name)));
        call_back(id);
        pipeline_.tick();
        EXPECT_THAT(kind_.fake_cleaner().taken_back(), testing::Contains(name).Times(1));
    }
}

TEST_F(AskingPipeline, what_goes_by_itself_unasked_was_not_us) {
    appear("a", Grade::suspected);
    kind_.fake_tracker().stay_silent("a");
    pipeline_.tick();
    EXPECT_EQ(sink_.last().type, IncidentType::vanished);
}

TEST_F(AskingPipeline, asks_again_ever_more_rarely_and_then_no_more) {
    const auto id = appear("a", Grade::suspected);
    pass(veto);
    for (const Span wait : {65s, 300s, 1800s, 7200s}) {
        const auto before = asked().size();
        pass(wait - 1ns);
        EXPECT_EQ(asked().size(), before) << "too early";
        pass(1ns);
        pass(veto);
        EXPECT_EQ(asked().size(), before + 1);
    }
    pass(20h);
    EXPECT_EQ(asked().size(), 5U);
    EXPECT_THAT(pipeline_.decision(*ledger_.find(id)).reason, HasSubstr("asked 5 times"));
}

TEST_F(AskingPipeline, what_is_proven_after_all_is_cleaned_and_not_asked_again) {
    appear("a", Grade::suspected);
    pass(veto);
    appear("a", Grade::proven);
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
    EXPECT_EQ(asked().size(), 1U);
}

TEST_F(AskingPipeline, never_asks_what_must_not_be_touched) {
    pipeline_.set_policy("fake", {.clean = CleanPolicy::never, .veto = 0s});
    const auto never = appear("a", Grade::suspected);
    EXPECT_EQ(pipeline_.decision(*ledger_.find(never)).action, Action::report);
    pipeline_.set_policy("fake", {.clean = CleanPolicy::proven, .veto = veto});
    ASSERT_TRUE(pipeline_.hold(never, 24h));
    pipeline_.set_health("fake", Health::lossy);
    appear("b", Grade::suspected);
    pass(1h);
    EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(AskingPipeline, a_person_asks_what_is_not_proven_and_cleans_what_he_takes_upon_himself) {
    const auto id = appear("a", Grade::suspected);
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0"}).verdict, Verdict::asked);
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0", .least = Grade::suspected}).verdict, Verdict::cleaned);
}

TEST_F(AskingPipeline, asks_count_as_acts) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{1});
    appear("a", Grade::suspected);
    appear("b", Grade::suspected);
    pass(veto);
    EXPECT_EQ(asked().size(), 1U);
    pass(1min);
    EXPECT_EQ(asked().size(), 2U);
}

// The act itself.

TEST_F(PipelineTest, acts_on_all_that_is_due_at_once) {
    for (int number = 0; number < 100; ++number) {
        appear(std::to_string(number));
    }
    pass(veto);
    EXPECT_THAT(kind_.fake_cleaner().batches(), ElementsAre(100U));
    EXPECT_EQ(cleaned().size(), 100U);
}

TEST_F(PipelineTest, refuses_when_the_last_look_finds_something_else) {
    kind_.fake_cleaner().answer_confirm(fail(ErrorCode::changed, "another is in its place"));
    appear("a");
    pass(veto);
    EXPECT_THAT(confirmed(), ElementsAre("a"));
    EXPECT_THAT(cleaned(), IsEmpty());
    EXPECT_EQ(sink_.last().outcome,
              (Outcome{.verdict = Verdict::refused, .reason = "another is in its place"}));
    EXPECT_NE(ledger_.find("fake", "a"), nullptr);
}

TEST_F(PipelineTest, touches_nothing_that_has_gone_by_itself) {
    kind_.fake_cleaner().answer_confirm(fail(ErrorCode::not_found, "it is not there"));
    appear("a");
    pass(veto);
    EXPECT_THAT(cleaned(), IsEmpty());
    EXPECT_EQ(sink_.last().outcome, (Outcome{.verdict = Verdict::gone, .reason = "it is not there"}));
    EXPECT_EQ(ledger_.find("fake", "a"), nullptr);
}

TEST_F(PipelineTest, acts_on_the_verdict_that_stands) {
    const auto holders = test::held_by({.pid = 7});
    appear("a");
    appear("a", Grade::proven, holders);
    std::size_t holders_seen = 0;
    kind_.fake_cleaner().answer_clean([&](const Ghost& ghost) {
        holders_seen = ghost.holders.size();
        return Outcome{.verdict = Verdict::cleaned, .reason = ""};
    });
    pass(veto);
    EXPECT_EQ(holders_seen, 1);
}

class PipelineVerdict : public PipelineTest, public testing::WithParamInterface<Verdict> {};

TEST_P(PipelineVerdict, is_what_the_second_look_said) {
    const Outcome seen{.verdict = GetParam(), .reason = "as seen"};
    kind_.fake_cleaner().answer_clean([&](const Ghost&) {
        return Outcome{seen};
    });
    const auto id = appear("a");
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 1000"}), seen);
    EXPECT_EQ(sink_.last().outcome, seen);
    const bool ended = GetParam() == Verdict::cleaned || GetParam() == Verdict::gone;
    EXPECT_EQ(ledger_.find(id) == nullptr, ended);
}

INSTANTIATE_TEST_SUITE_P(verdicts, PipelineVerdict,
                         testing::Values(Verdict::cleaned, Verdict::gone, Verdict::refused, Verdict::failed));

TEST_F(PipelineTest, an_exception_in_the_cleaner_is_a_failure) {
    kind_.fake_cleaner().answer_clean([](const Ghost&) -> Outcome {
        throw std::runtime_error{"out of luck"};
    });
    appear("a");
    pass(veto);
    EXPECT_EQ(sink_.last().outcome.verdict, Verdict::failed);
    EXPECT_THAT(sink_.last().outcome.reason, HasSubstr("out of luck"));
    EXPECT_NE(ledger_.find("fake", "a"), nullptr);
}

TEST_F(PipelineTest, an_act_that_nobody_can_answer_for_is_told_before_the_daemon_falls) {
    kind_.fake_cleaner().answer_clean([](const Ghost&) -> Outcome {
        throw 42;
    });
    appear("a");
    clock_.advance(veto);
    EXPECT_THROW(pipeline_.tick(), int);
    EXPECT_EQ(sink_.last().outcome.verdict, Verdict::failed);
}

TEST_F(PipelineTest, leaves_a_ghost_alone_after_a_failure_then_announces_again) {
    kind_.fake_cleaner().answer_clean([](const Ghost&) {
        return Outcome{};
    });
    appear("a");
    pass(veto);
    EXPECT_EQ(pipeline_.deadline(), clock_.now() + cooldown);
    sink_.clear();
    pass(cooldown - 1ns);
    EXPECT_THAT(sink_.story(), IsEmpty());
    pass(1ns);
    EXPECT_THAT(sink_.story(), ElementsAre("pending a"));
    pass(veto - 1ns);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
    pass(1ns);
    EXPECT_THAT(cleaned(), ElementsAre("a", "a"));
}

TEST_F(PipelineTest, a_new_verdict_does_not_cut_a_cooldown_short) {
    kind_.fake_cleaner().answer_clean([](const Ghost&) {
        return Outcome{};
    });
    appear("a");
    pass(veto);
    appear("a", Grade::suspected);
    appear("a", Grade::proven);
    pass(cooldown - 1ns);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, a_hold_that_outlasts_a_cooldown_ends_when_it_should) {
    kind_.fake_cleaner().answer_clean([](const Ghost&) {
        return Outcome{};
    });
    const auto id = appear("a");
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0"}).verdict, Verdict::failed);
    ASSERT_TRUE(pipeline_.hold(id, 2 * cooldown));
    sink_.clear();
    pass(cooldown);
    EXPECT_THAT(sink_.story(), IsEmpty());
    pass(cooldown);
    EXPECT_THAT(sink_.story(), ElementsAre("pending a"));
}

TEST_F(PipelineTest, an_ignored_ghost_shows_again_though_it_still_cools_down) {
    kind_.fake_cleaner().answer_clean([](const Ghost&) {
        return Outcome{};
    });
    const auto id = appear("a");
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0"}).verdict, Verdict::failed);
    ASSERT_TRUE(pipeline_.ignore(id, cooldown / 2));
    sink_.clear();
    pass(cooldown / 2);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a"));
    pass(cooldown / 2);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a"));
}

// The Governor's limits.

TEST_F(PipelineTest, does_not_announce_what_is_protected) {
    limit(&GovernorLimits::protect, {"precious.service"});
    appear("a", Grade::proven, test::held_by({.unit = "precious.service"}));
    pass(veto);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a"));
}

TEST_F(PipelineTest, acts_when_the_cap_lets_it_and_says_when_that_is) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{2});
    for (const auto* key : {"a", "b", "c"}) {
        appear(key);
    }
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a", "b"));
    EXPECT_EQ(pipeline_.deadline(), clock_.now() + 1min);
    pass(1min - 1ns);
    EXPECT_THAT(cleaned(), ElementsAre("a", "b"));
    pass(1ns);
    EXPECT_THAT(cleaned(), ElementsAre("a", "b", "c"));
}

TEST_F(PipelineTest, a_unit_at_its_cap_does_not_keep_others_waiting) {
    limit(&GovernorLimits::acts_per_minute_per_unit, std::uint64_t{1});
    const auto busy = test::held_by({.unit = "busy.service"});
    appear("a", Grade::proven, busy);
    appear("b", Grade::proven, busy);
    appear("c", Grade::proven, test::held_by({.unit = "quiet.service"}));
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a", "c"));
    EXPECT_EQ(pipeline_.deadline(), clock_.now() + 1min);
    pass(1min);
    EXPECT_THAT(cleaned(), ElementsAre("a", "c", "b"));
}

TEST_F(PipelineTest, what_waits_for_the_cap_can_still_be_held) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{1});
    appear("a");
    const auto id = appear("b");
    pass(veto);
    ASSERT_TRUE(pipeline_.hold(id, 24h));
    pass(1h);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, an_act_that_broke_off_counts_as_an_act) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{1});
    kind_.fake_cleaner().answer_clean([](const Ghost&) -> Outcome {
        throw std::runtime_error{"out of luck"};
    });
    appear("a");
    appear("b");
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, a_refusal_costs_no_place_under_the_cap) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{1});
    kind_.fake_cleaner().answer_confirm(fail(ErrorCode::changed, ""));
    appear("a");
    appear("b");
    pass(veto);
    EXPECT_THAT(confirmed(), ElementsAre("a", "b"));
}

// A person's wish.

TEST_F(PipelineTest, cleans_at_once_when_asked) {
    const auto outcome = pipeline_.clean(appear("a"), {.actor = "uid 1000"});
    EXPECT_EQ(outcome.verdict, Verdict::cleaned);
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "pending a", "cleaned a"));
    EXPECT_EQ(sink_.last().actor, "uid 1000");
    pipeline_.tick();
    EXPECT_EQ(pipeline_.deadline(), std::nullopt);
    pass(veto);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, a_person_may_clean_what_the_policy_does_not) {
    pipeline_.set_policy("fake", {.clean = CleanPolicy::never, .veto = veto});
    EXPECT_EQ(pipeline_.clean(appear("a"), {.actor = "uid 0"}).verdict, Verdict::cleaned);
}

TEST_F(PipelineTest, not_even_a_person_cleans_what_is_held) {
    const auto id = appear("a");
    ASSERT_TRUE(pipeline_.hold(id, 24h));
    const auto outcome = pipeline_.clean(id, {.actor = "uid 0", .least = Grade::suspected});
    EXPECT_EQ(outcome.verdict, Verdict::refused);
    EXPECT_EQ(outcome.reason, "held for another 1d");
    EXPECT_THAT(confirmed(), IsEmpty());
    ASSERT_TRUE(pipeline_.hold(id, 0s));
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0"}).verdict, Verdict::cleaned);
}

TEST_F(PipelineTest, a_mere_suspicion_must_be_asked_for_as_such) {
    const auto id = appear("a", Grade::suspected);
    const auto outcome = pipeline_.clean(id, {.actor = "uid 0"});
    EXPECT_EQ(outcome.verdict, Verdict::refused);
    EXPECT_THAT(outcome.reason, HasSubstr("suspected"));
    EXPECT_THAT(confirmed(), IsEmpty());
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0", .least = Grade::suspected}).verdict, Verdict::cleaned);
}

TEST_F(PipelineTest, a_proof_in_doubt_is_a_mere_suspicion) {
    const auto id = appear("a");
    pipeline_.set_health("fake", Health::lossy);
    const auto outcome = pipeline_.clean(id, {.actor = "uid 0"});
    EXPECT_EQ(outcome.verdict, Verdict::refused);
    EXPECT_THAT(outcome.reason, HasSubstr("lost"));
    EXPECT_THAT(confirmed(), IsEmpty());
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0", .least = Grade::suspected}).verdict, Verdict::cleaned);
}

TEST_F(PipelineTest, not_even_a_person_cleans_what_is_protected) {
    limit(&GovernorLimits::protect, {"precious"});
    const auto id = appear("a", Grade::proven, test::held_by({.comm = "precious"}));
    const auto outcome = pipeline_.clean(id, {.actor = "uid 0", .least = Grade::suspected});
    EXPECT_EQ(outcome.verdict, Verdict::refused);
    EXPECT_THAT(outcome.reason, HasSubstr("precious"));
    EXPECT_THAT(confirmed(), IsEmpty());
    EXPECT_THAT(sink_.story(), ElementsAre("appeared a", "refused a"));
    EXPECT_EQ(sink_.last().actor, "uid 0");
}

TEST_F(PipelineTest, nobody_cleans_what_may_be_held_by_something_protected) {
    limit(&GovernorLimits::protect, {"precious"});
    const auto id = appear("a");
    EXPECT_EQ(
        pipeline_.decision(*ledger_.find(id)),
        (Decision{.action = Action::report, .reason = "who holds it is not known, and may be protected"}));
    pass(veto);
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0", .least = Grade::suspected}).verdict, Verdict::refused);
    EXPECT_THAT(confirmed(), IsEmpty());
}

TEST_F(PipelineTest, not_even_a_person_acts_during_a_pause) {
    const auto id = appear("a");
    limit(&GovernorLimits::paused, true);
    EXPECT_EQ(pipeline_.clean(id, {.actor = "uid 0", .least = Grade::suspected}).verdict, Verdict::refused);
    EXPECT_THAT(confirmed(), IsEmpty());
}

TEST_F(PipelineTest, a_person_is_bound_by_the_caps) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{1});
    const auto first = appear("a");
    const auto second = appear("b");
    EXPECT_EQ(pipeline_.clean(first, {.actor = "uid 0"}).verdict, Verdict::cleaned);
    EXPECT_EQ(pipeline_.clean(second, {.actor = "uid 0"}).verdict, Verdict::refused);
    EXPECT_THAT(cleaned(), ElementsAre("a"));
}

TEST_F(PipelineTest, a_person_is_bound_by_the_last_look) {
    kind_.fake_cleaner().answer_confirm(fail(ErrorCode::changed, "another is in its place"));
    const auto outcome = pipeline_.clean(appear("a"), {.actor = "uid 0", .least = Grade::suspected});
    EXPECT_EQ(outcome, (Outcome{.verdict = Verdict::refused, .reason = "another is in its place"}));
    EXPECT_THAT(cleaned(), IsEmpty());
}

TEST_F(PipelineTest, a_refused_wish_leaves_the_announcement_standing) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{1});
    const auto first = appear("a");
    const auto second = appear("b");
    EXPECT_EQ(pipeline_.clean(first, {.actor = "uid 0"}).verdict, Verdict::cleaned);
    EXPECT_EQ(pipeline_.clean(second, {.actor = "uid 0"}).verdict, Verdict::refused);
    pass(1min);
    EXPECT_THAT(cleaned(), ElementsAre("a", "b"));
}

TEST_F(PipelineTest, nobody_can_clean_what_is_of_a_kind_that_only_reports) {
    reporter_.plant("r", Grade::proven);
    pipeline_.tick();
    const auto id = ledger_.find("fake-report", "r")->id;
    const auto outcome = pipeline_.clean(id, {.actor = "uid 0", .least = Grade::suspected});
    EXPECT_EQ(outcome.verdict, Verdict::refused);
    EXPECT_THAT(outcome.reason, HasSubstr("the kind fake-report only reports"));
    EXPECT_NE(ledger_.find(id), nullptr);
}

TEST_F(PipelineTest, nobody_can_clean_what_is_not_there) {
    const auto outcome = pipeline_.clean(17, {.actor = "uid 0"});
    EXPECT_EQ(outcome.verdict, Verdict::refused);
    EXPECT_THAT(outcome.reason, HasSubstr("17"));
    EXPECT_THAT(sink_.story(), IsEmpty());
}

// What the policy says of itself.

TEST_F(PipelineTest, says_when_an_announced_act_is_due) {
    appear("a");
    pass(10s);
    const auto decision = pipeline_.decision(*ledger_.find("fake", "a"));
    EXPECT_EQ(decision.action, Action::clean);
    EXPECT_THAT(decision.reason, HasSubstr("in 20s"));
}

TEST_F(PipelineTest, says_what_an_act_has_to_wait_for) {
    limit(&GovernorLimits::acts_per_minute, std::uint64_t{1});
    appear("a");
    appear("b");
    pass(veto);
    const auto decision = pipeline_.decision(*ledger_.find("fake", "b"));
    EXPECT_EQ(decision.action, Action::clean);
    EXPECT_THAT(decision.reason, HasSubstr("has to wait"));
}

TEST_F(PipelineTest, says_how_long_a_hold_lasts) {
    ASSERT_TRUE(pipeline_.hold(appear("a"), 1h));
    pass(10min);
    EXPECT_EQ(pipeline_.decision(*ledger_.find("fake", "a")),
              (Decision{.action = Action::report, .reason = "held for another 50min"}));
}

// Time and size.

TEST_F(PipelineTest, has_no_deadline_while_there_is_nothing_to_do) {
    EXPECT_EQ(pipeline_.deadline(), std::nullopt);
    appear("a", Grade::suspected);
    EXPECT_EQ(pipeline_.deadline(), std::nullopt);
}

TEST_F(PipelineTest, wakes_for_its_trackers) {
    OptionValues options{test::fake_info().options};
    ASSERT_TRUE(options.set("Grace", "5min"));
    kind_.configure(options);
    kind_.plant("a", Grade::proven);
    EXPECT_EQ(pipeline_.deadline(), clock_.now() + 5min);
}

TEST_F(PipelineTest, wakes_to_flush_what_was_told_outside_of_a_tick) {
    const auto id = appear("a");
    const auto flushes = sink_.flushes();
    std::ignore = pipeline_.clean(id, {.actor = "uid 0"});
    EXPECT_EQ(pipeline_.deadline(), clock_.now());
    pipeline_.tick();
    EXPECT_EQ(sink_.flushes(), flushes + 1);
    EXPECT_EQ(pipeline_.deadline(), std::nullopt);
}

TEST_F(PipelineTest, a_long_queue_leaves_room_for_others) {
    constexpr int many = 66'000;
    for (int number = 0; number < many; ++number) {
        kind_.plant(std::to_string(number), Grade::proven);
    }
    pipeline_.tick();
    EXPECT_FALSE(pipeline_.left_over()) << "there is time to tell them all";
    pass(veto);
    EXPECT_LT(cleaned().size(), many);
    EXPECT_TRUE(pipeline_.left_over());
    pipeline_.tick();
    pipeline_.tick();
    EXPECT_EQ(cleaned().size(), many);
    EXPECT_LT(sink_.story().size(), 3 * many) << "acts go before what is told of them";
    int ticks = 0;
    for (; pipeline_.left_over() && ticks < many; ++ticks) {
        EXPECT_LE(*pipeline_.deadline(), clock_.now());
        pipeline_.tick();
    }
    EXPECT_EQ(sink_.story().size(), 3 * many);
    EXPECT_LT(ticks, 200);
}

// Nothing here may cost each ghost a look at all others: that would be ten thousand million looks, and this
// test would run into its time limit.
TEST(PipelineSize, lives_with_a_hundred_thousand_ghosts) {
    constexpr std::size_t many = 100'000;
    const test::FakeClock clock;
    test::CountingIds ids;
    Ledger ledger{clock, ids, {}};
    Governor governor{generous()};
    test::FakeKind kind{clock};
    Pipeline pipeline{clock, governor, ledger};
    pipeline.add(kind, {.clean = CleanPolicy::proven, .veto = 0s});

    const auto holders = test::held_by({.unit = "leaky.service"});
    for (std::size_t number = 0; number < many; ++number) {
        kind.plant(std::to_string(number), Grade::proven, holders);
    }
    pipeline.tick();
    const auto left = ledger.count("fake", Grade::proven);
    EXPECT_LT(left, many);
    EXPECT_GT(left, many / 4);
    for (int tick = 0; tick < 100 && ledger.count("fake", Grade::proven) == left; ++tick) {
        pipeline.tick(); // what has been done is told before more is
    }
    EXPECT_LT(ledger.count("fake", Grade::proven), left);
    pipeline.set_health("fake", Health::lossy);
    for (std::size_t number = 0; number < many; ++number) {
        kind.remove(std::to_string(number));
    }
    pipeline.tick();
    EXPECT_TRUE(ledger.ghosts().empty());
    for (std::size_t tick = 0; pipeline.left_over() && tick < many; ++tick) {
        pipeline.tick();
    }
    EXPECT_EQ(pipeline.deadline(), std::nullopt);
}

TEST_F(PipelineTest, takes_a_kind_it_does_not_know_for_a_mistake_of_ours) {
    EXPECT_THROW(std::ignore = pipeline_.policy("unheard-of"), std::out_of_range);
    EXPECT_EQ(pipeline_.policy("fake"), clean_proven);
}

} // namespace
} // namespace egb::engine
