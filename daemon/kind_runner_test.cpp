// SPDX-License-Identifier: Apache-2.0
#include "kind_runner.hpp"

#include "configurator.hpp"
#include "engine/governor.hpp"
#include "engine/ledger.hpp"
#include "harness/fake_clock.hpp"
#include "harness/fake_kind.hpp"
#include "harness/recording_sink.hpp"
#include "host/fd.hpp"
#include "host/monotonic_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

namespace egb {
namespace {

using engine::Health;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A tracker that is due when it is told to be.
class PuppetTracker final : public Tracker {
public:
    void observe(const Sighting& /*sighting*/) override {}
    [[nodiscard]] Changes tick(Instant /*now*/) override { return {}; }
    [[nodiscard]] std::optional<Instant> deadline() const override { return due; }
    [[nodiscard]] std::size_t tracked() const override { return 3; }
    [[nodiscard]] Facts facts(std::string_view /*key*/) const override {
        return [] {
            return Fields{};
        };
    }

    std::optional<Instant> due;
};

/// A kind on strings.
class Puppet final : public Kind {
public:
    [[nodiscard]] const KindInfo& info() const override { return described; }
    void configure(const OptionValues& options) override { graces.push_back(options.span("Grace")); }
    [[nodiscard]] Result<> start() override { return started; }
    [[nodiscard]] std::vector<Capability> capabilities() const override { return {}; }
    [[nodiscard]] int event_fd() const override { return events.get(); }
    [[nodiscard]] Result<bool> drain() override {
        std::uint64_t count{};
        EXPECT_EQ(::read(events.get(), &count, sizeof count), ssize_t{sizeof count});
        lost_events += lost_at_drain;
        return drained;
    }
    [[nodiscard]] Result<> sweep(SweepReason reason) override {
        sweeps.push_back(reason);
        lost_events += lost_at_sweep;
        if (while_sweeping) {
            while_sweeping();
        }
        return swept;
    }
    [[nodiscard]] bool is_sweeping() const override { return sweeping; }
    void let_go() override { ++let_gos; }
    [[nodiscard]] std::uint64_t lost() const override { return lost_events; }
    [[nodiscard]] Result<> provoke_canary() override { return provoked; }
    [[nodiscard]] std::uint64_t canaries() const override { return canaries_back; }
    [[nodiscard]] Tracker& tracker() override { return puppet_tracker; }
    [[nodiscard]] const Tracker& tracker() const override { return puppet_tracker; }
    [[nodiscard]] Cleaner* cleaner() override { return nullptr; }

    void send_event() const { ASSERT_EQ(::eventfd_write(events.get(), 1), 0); }

    host::Fd events{::eventfd(0, EFD_CLOEXEC)};
    PuppetTracker puppet_tracker;
    Result<> started;
    Result<bool> drained{false};
    Result<> swept;
    Result<> provoked;
    bool sweeping{};
    unsigned let_gos{};
    std::uint64_t lost_events{};
    std::uint64_t lost_at_drain{};
    std::uint64_t lost_at_sweep{};
    std::uint64_t canaries_back{};
    std::function<void()> while_sweeping;
    std::vector<SweepReason> sweeps;
    KindInfo described{test::fake_info()};
    std::vector<Span> graces;
};

/// What does not depend on which clock it is.
class RunnerTest : public testing::Test {
protected:
    explicit RunnerTest(const Clock& clock) : clock_{clock} {}

    KindRunner& runner() {
        if (!runner_) {
            runner_ =
                std::make_unique<KindRunner>(std::move(owned_), section_, clock_, loop_, pipeline_, [this] {
                    on_news_();
                });
        }
        return *runner_;
    }
    KindRunner& started() {
        runner().start();
        return runner();
    }

    /// The section [fake] with something else in it.
    [[nodiscard]] OptionValues section_with(std::string_view name, std::string_view text) const {
        OptionValues section = section_;
        EXPECT_TRUE(section.set(name, text));
        return section;
    }

    [[nodiscard]] Health health() const { return pipeline_.health("fake"); }

    const Clock& clock_;
    std::array<kinds::CatalogEntry, 1> catalog_{{{test::fake_info(), nullptr}}};
    config::Schema schema_{schema_of(catalog_)};
    OptionValues section_{config::Config{schema_}.section("fake")};
    loop::EventLoop loop_;
    test::CountingIds ids_;
    test::RecordingSink sink_;
    engine::Governor governor_{{}};
    engine::Ledger ledger_{clock_, ids_, {&sink_}};
    engine::Pipeline pipeline_{clock_, governor_, ledger_};
    std::unique_ptr<Puppet> owned_{std::make_unique<Puppet>()};
    Puppet& kind_{*owned_};
    std::function<void()> on_news_{[] {}};
    std::unique_ptr<KindRunner> runner_;
};

struct FakeTime {
    test::FakeClock fake_clock;
};

/// Where the test turns the clock, and the loop does not run.
class KindRunnerTest : public FakeTime, public RunnerTest {
protected:
    KindRunnerTest() : RunnerTest{fake_clock} {}
};

TEST_F(KindRunnerTest, ADisabledKindIsLeftAlone) {
    section_ = section_with("Enabled", "no");
    kind_.started = fail(ErrorCode::io, "it was started");
    EXPECT_EQ(started().condition(), "off");
    EXPECT_EQ(runner().trouble(), "");
    EXPECT_FALSE(runner().status().enabled);
    EXPECT_THAT(kind_.sweeps, IsEmpty());
    const auto swept = runner().sweep(SweepReason::request);
    ASSERT_FALSE(swept);
    EXPECT_EQ(swept.error().code, ErrorCode::unsupported);
    EXPECT_TRUE(runner().beat());
    EXPECT_EQ(kind_.let_gos, 1U) << "nobody observes what it remembers";
}

TEST_F(KindRunnerTest, AKindThatDoesNotStartIsATroubleOfItsOwn) {
    kind_.started = fail(ErrorCode::unsupported, "this kernel has no BTF");
    EXPECT_EQ(started().condition(), "failed");
    EXPECT_EQ(runner().trouble(), "this kernel has no BTF");
    EXPECT_TRUE(runner().status().enabled);
    EXPECT_THAT(kind_.sweeps, IsEmpty());
    EXPECT_THAT(runner().sweep(SweepReason::request).error().message, HasSubstr("no BTF"));
    EXPECT_TRUE(runner().beat()) << "it is no reason to end the others";
    EXPECT_EQ(kind_.let_gos, 1U);
}

TEST_F(KindRunnerTest, AStartSweepsOnce) {
    EXPECT_EQ(started().condition(), "ok");
    EXPECT_THAT(kind_.sweeps, ElementsAre(SweepReason::startup));
    EXPECT_EQ(health(), Health::whole);
    EXPECT_EQ(kind_.let_gos, 0U);
    const auto status = runner().status();
    EXPECT_EQ(status.tracked, 3U);
    EXPECT_EQ(status.last_sweep, clock_.wall_now());
    EXPECT_EQ(status.options.at("Clean"), "proven");
    EXPECT_EQ(status.options.at("Grace"), to_text(section_.value("Grace")));
}

TEST_F(KindRunnerTest, AKindTellsOfThePrivilegesThatItNeeds) {
    static constexpr std::array<std::string_view, 2> unheard_of{"CAP_TO_DREAM", "CAP_TO_SLEEP"};
    kind_.described.capabilities = unheard_of;
    EXPECT_THAT(started().status().capabilities,
                ElementsAre(Capability{
                    .name = "privileges",
                    .works = false,
                    .detail = "CAP_TO_DREAM CAP_TO_SLEEP is missing, of CAP_TO_DREAM CAP_TO_SLEEP"}));
}

TEST_F(KindRunnerTest, AKindThatNeedsNoPrivilegesSaysNothingOfThem) {
    EXPECT_THAT(started().status().capabilities, IsEmpty());
}

TEST_F(KindRunnerTest, LossesOfAnEarlierProcessAreReconciledByTheFirstSweep) {
    kind_.lost_events = 17;
    EXPECT_EQ(started().condition(), "ok");
    EXPECT_EQ(runner().status().lost_events, 17U);
    EXPECT_EQ(health(), Health::whole);
}

TEST_F(KindRunnerTest, AFailedFirstSweepLeavesAKindThatOnlyReports) {
    kind_.swept = fail(ErrorCode::denied, "no iterator for you");
    EXPECT_EQ(started().condition(), "only reports");
    EXPECT_THAT(runner().trouble(), HasSubstr("no iterator for you"));
    EXPECT_EQ(health(), Health::lossy);

    kind_.swept = {};
    ASSERT_TRUE(runner().sweep(SweepReason::request));
    EXPECT_EQ(health(), Health::lossy) << "what the sweep found has not been judged yet";
    runner().settle_health();
    EXPECT_EQ(health(), Health::whole);
    EXPECT_EQ(runner().trouble(), "");
}

TEST_F(KindRunnerTest, ASweepThatLosesEventsReconcilesNothing) {
    started();
    kind_.lost_at_sweep = 1;
    ASSERT_TRUE(runner().sweep(SweepReason::request));
    runner().settle_health();
    EXPECT_EQ(health(), Health::lossy);
    EXPECT_THAT(runner().trouble(), HasSubstr("lost"));

    kind_.lost_at_sweep = 0;
    ASSERT_TRUE(runner().sweep(SweepReason::loss));
    runner().settle_health();
    EXPECT_EQ(health(), Health::whole);
}

TEST_F(KindRunnerTest, ASweepInPiecesReconcilesWithTheLastOfThem) {
    started();
    kind_.lost_events = 1;
    kind_.sweeping = true;
    ASSERT_TRUE(runner().sweep(SweepReason::request));
    ASSERT_TRUE(runner().sweep(SweepReason::loss));
    runner().settle_health();
    EXPECT_EQ(health(), Health::lossy);
    ASSERT_TRUE(runner().sweep(SweepReason::timer));
    runner().settle_health();
    EXPECT_EQ(health(), Health::lossy);

    kind_.sweeping = false; // by what was heard, as well as by a sweep
    runner().settle_health();
    EXPECT_EQ(health(), Health::whole);
}

TEST_F(KindRunnerTest, ATimedSweepIsMadeWhenTheTrackerIsDueAndNotBefore) {
    started();
    fake_clock.advance(seconds{10});
    runner().sweep_if_due();
    EXPECT_THAT(kind_.sweeps, SizeIs(1)) << "nothing is tracked, nothing is done";
    kind_.puppet_tracker.due = clock_.now() + seconds{1};
    runner().sweep_if_due();
    EXPECT_THAT(kind_.sweeps, SizeIs(1));
    fake_clock.advance(seconds{1});
    runner().sweep_if_due();
    EXPECT_THAT(kind_.sweeps, ElementsAre(SweepReason::startup, SweepReason::timer));
}

TEST_F(KindRunnerTest, ATrackerThatIsAlwaysDueIsSweptTenTimesASecond) {
    started();
    kind_.puppet_tracker.due = Instant{};
    for (int millisecond = 0; millisecond < 1000; ++millisecond) {
        fake_clock.advance(milliseconds{1});
        runner().sweep_if_due();
    }
    EXPECT_THAT(kind_.sweeps, SizeIs(1 + 10));
}

TEST_F(KindRunnerTest, ASweepThatTakesLongIsMadeTheMoreRarely) {
    kind_.while_sweeping = [this] {
        fake_clock.work(milliseconds{200});
    };
    started();
    kind_.puppet_tracker.due = Instant{};
    const Instant end = clock_.now() + seconds{60};
    for (; clock_.now() < end; fake_clock.advance(milliseconds{1})) {
        runner().sweep_if_due();
    }
    EXPECT_THAT(kind_.sweeps, SizeIs(1 + 6)) << "of a minute, no more than a fiftieth";
    EXPECT_TRUE(runner().sweep(SweepReason::request)) << "who asks for one does not wait";
    EXPECT_THAT(kind_.sweeps, SizeIs(1 + 7));
}

TEST_F(KindRunnerTest, ASweepThatOnlyWaitsLongLeavesOthersAsLongATurn) {
    kind_.while_sweeping = [this] {
        fake_clock.advance(milliseconds{790});
        fake_clock.work(milliseconds{10});
    };
    started();
    kind_.puppet_tracker.due = Instant{};
    const Instant end = clock_.now() + seconds{16};
    for (; clock_.now() < end; fake_clock.advance(milliseconds{1})) {
        runner().sweep_if_due();
    }
    EXPECT_THAT(kind_.sweeps, SizeIs(1 + 10)) << "and is not put off by 49 times what it took";
    EXPECT_EQ(runner().status().last_sweep_took, milliseconds{800}) << "as whoever waits for it finds";
}

TEST_F(KindRunnerTest, FailingSweepsAreMadeEverMoreRarely) {
    started();
    kind_.puppet_tracker.due = Instant{};
    kind_.swept = fail(ErrorCode::io, "no");
    const auto sweeps_within = [this](std::chrono::seconds span) {
        const auto before = kind_.sweeps.size();
        for (const Instant end = clock_.now() + span; clock_.now() < end;
             fake_clock.advance(milliseconds{100})) {
            runner().sweep_if_due();
        }
        return kind_.sweeps.size() - before;
    };
    const auto in_first_minute = sweeps_within(std::chrono::minutes{1});
    EXPECT_LE(in_first_minute, 4U);
    EXPECT_GE(in_first_minute, 2U);
    sweeps_within(std::chrono::minutes{10});
    EXPECT_EQ(sweeps_within(std::chrono::minutes{10}), 2U);
    EXPECT_TRUE(runner().struggling());
}

TEST_F(KindRunnerTest, OtherOptionsReachTheKindAndThePolicy) {
    started();
    runner().configure(section_);
    EXPECT_THAT(kind_.graces, SizeIs(1)) << "the same options are no news";
    runner().configure(section_with("Grace", "9s"));
    EXPECT_THAT(kind_.graces, ElementsAre(Span{}, seconds{9}));
    runner().configure(section_with("Clean", "never"));
    EXPECT_EQ(pipeline_.policy("fake").clean, CleanPolicy::never);
    EXPECT_EQ(runner().status().policy.clean, CleanPolicy::never);
}

TEST_F(KindRunnerTest, ACanaryThatComesBackKeepsTheWatchdogFed) {
    started();
    EXPECT_TRUE(runner().beat()) << "none was sent before the first beat";
    for (int beat = 0; beat < 3; ++beat) {
        ++kind_.canaries_back;
        EXPECT_TRUE(runner().beat());
    }
}

TEST_F(KindRunnerTest, ACanaryThatDoesNotComeBackStopsIt) {
    started();
    EXPECT_TRUE(runner().beat());
    EXPECT_FALSE(runner().beat());
    ++kind_.canaries_back;
    EXPECT_TRUE(runner().beat()) << "late is alive";
}

TEST_F(KindRunnerTest, ACanaryThatCannotBeSentStopsItUnlessThisKernelHasNone) {
    started();
    kind_.provoked = fail(ErrorCode::io, "broken");
    EXPECT_FALSE(runner().beat());
    kind_.provoked = fail(ErrorCode::unsupported, "no such thing here");
    EXPECT_TRUE(runner().beat());
    EXPECT_TRUE(runner().beat());
}

TEST_F(KindRunnerTest, AKindWithoutEventsHasNoCanary) {
    kind_.events.reset();
    started();
    EXPECT_TRUE(runner().beat());
    EXPECT_TRUE(runner().beat());
}

TEST_F(KindRunnerTest, RunnersAreFoundByName) {
    KindRunners runners;
    const KindRunner& added = runners.add(
        std::make_unique<KindRunner>(std::move(owned_), section_, clock_, loop_, pipeline_, [] {}));
    EXPECT_EQ(runners.find("fake"), &added);
    EXPECT_EQ(runners.find("no-such-kind"), nullptr);
}

struct RealTime {
    host::MonotonicClock real_clock;
};

/// Where the loop runs, and calls.
class KindRunnerOnTheLoop : public RealTime, public RunnerTest {
protected:
    KindRunnerOnTheLoop() : RunnerTest{real_clock} {}

    /// Runs the loop until the condition holds, which is looked at after all news, or for five seconds.
    template <typename Condition>
    bool run_until(Condition holds) {
        auto give_up = loop_.timer(loop::Priority::timers, [this] {
            loop_.stop(1);
        });
        loop_.arm(give_up, later(clock_.now(), seconds{5}));
        on_news_ = [this, holds] {
            pipeline_.tick();
            runner().settle_health();
            if (holds()) {
                loop_.stop(0);
            }
        };
        return loop_.run() == 0;
    }
};

TEST_F(KindRunnerOnTheLoop, AnEventIsDrainedAndIsNews) {
    started();
    kind_.send_event();
    EXPECT_TRUE(run_until([] {
        return true;
    }));
    EXPECT_THAT(kind_.sweeps, SizeIs(1)) << "an event is no reason to sweep";
}

TEST_F(KindRunnerOnTheLoop, WhatWaitsIsHeardWhenSomebodyAsks) {
    started();
    int news = 0;
    on_news_ = [&news] {
        ++news;
    };
    runner().catch_up();
    EXPECT_EQ(news, 0) << "nothing waits";
    kind_.send_event();
    runner().catch_up();
    EXPECT_EQ(news, 1);
    runner().catch_up();
    EXPECT_EQ(news, 1);
}

TEST_F(KindRunnerOnTheLoop, LostEventsMakeItReportOnlyUntilASweepHasPutThatRight) {
    started();
    kind_.lost_at_drain = 5;
    kind_.send_event();
    std::vector<Health> story;
    EXPECT_TRUE(run_until([&] {
        story.push_back(health());
        return health() == Health::whole;
    }));
    EXPECT_THAT(story, ElementsAre(Health::lossy, Health::whole));
    EXPECT_THAT(kind_.sweeps, ElementsAre(SweepReason::startup, SweepReason::loss));
}

TEST_F(KindRunnerOnTheLoop, OtherOptionsAreFollowedByASweep) {
    started();
    runner().configure(section_with("Grace", "9s"));
    EXPECT_TRUE(run_until([this] {
        return kind_.sweeps.size() == 2;
    }));
    EXPECT_THAT(kind_.sweeps, ElementsAre(SweepReason::startup, SweepReason::request));
}

TEST_F(KindRunnerOnTheLoop, WhenEventsCannotBeReadTheKindGoesDeafAndSaysSo) {
    started();
    kind_.drained = fail(ErrorCode::io, "the ring is broken");
    kind_.send_event();
    EXPECT_TRUE(run_until([] {
        return true;
    }));
    EXPECT_THAT(runner().trouble(), HasSubstr("the ring is broken"));
    EXPECT_EQ(health(), Health::lossy);
    ASSERT_TRUE(runner().sweep(SweepReason::request));
    runner().settle_health();
    EXPECT_EQ(health(), Health::lossy) << "a sweep alone is no proof of anything";
}

TEST_F(KindRunnerOnTheLoop, ACanaryThatDrownedInAFloodIsNoDeath) {
    started();
    EXPECT_TRUE(runner().beat());
    kind_.lost_at_drain = 1000;
    kind_.send_event();
    EXPECT_TRUE(run_until([] {
        return true;
    }));
    EXPECT_TRUE(runner().beat()) << "the ring was full, and has been read";
    kind_.lost_events += 1000;
    EXPECT_FALSE(runner().beat()) << "the ring is full, and nobody reads it";
}

} // namespace
} // namespace egb
