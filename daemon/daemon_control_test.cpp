// SPDX-License-Identifier: Apache-2.0
#include "core/format.hpp"
#include "daemon_control.hpp"

#include "harness/fake_clock.hpp"
#include "harness/fake_events.hpp"
#include "harness/fake_holder_scan.hpp"
#include "harness/fake_kind.hpp"
#include "harness/fake_procfs.hpp"
#include "harness/fake_sys.hpp"
#include "harness/recording_sink.hpp"
#include "harness/temp_folder.hpp"
#include "host/file_reading.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace egb {
namespace {

using Lifetime = bus::Control::Lifetime;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DaemonControlTest : public testing::Test {
protected:
    DaemonControlTest() {
        for (const KindInfo* info : {&test::fake_info(), &test::fake_report_info()}) {
            auto kind = std::make_unique<test::FakeKind>(clock_, *info);
            kinds_.push_back(kind.get());
            runners_
                .add(std::make_unique<KindRunner>(std::move(kind), configurator_.kind(info->name), clock_,
                                                  loop_, pipeline_,
                                                  [this] {
                                                      pipeline_.tick();
                                                  }))
                .start();
        }
        configurator_.on_change([this](const config::Config&) {
            control_.limit_acts();
            for (const auto& runner : runners_) {
                runner->configure(configurator_.kind(runner->info().name));
            }
        });
        EXPECT_TRUE(control_.recall_decisions());
    }

    DaemonControl::Parts parts_with(state::StateDb& state) {
        return {.clock = clock_,
                .configurator = configurator_,
                .runners = runners_,
                .governor = governor_,
                .ledger = ledger_,
                .pipeline = pipeline_,
                .state = state,
                .restorer = restorer_,
                .holder_scan = holder_scan_,
                .procfs = procfs_,
                .trace = trace_};
    }

    test::FakeKind& kind() { return *kinds_.front(); }

    /// A ghost of the kind `fake`, in the ledger.
    GhostId plant(std::string_view key, Grade grade = Grade::suspected) {
        kind().plant(key, grade);
        pipeline_.tick();
        return ledger_.find("fake", key)->id;
    }

    [[nodiscard]] std::vector<GhostId> ids(const GhostFilter& filter = {}, std::uint32_t offset = 0,
                                           std::uint32_t limit = 100) const {
        std::vector<GhostId> ids;
        for (const auto& row : control_.list(filter, offset, limit).rows) {
            ids.push_back(row.ghost->id);
        }
        return ids;
    }

    test::FakeClock clock_;
    test::TempFolder root_;
    test::TempFolder folder_;
    std::array<kinds::CatalogEntry, 2> catalog_{
        {{test::fake_info(), nullptr}, {test::fake_report_info(), nullptr}}};
    Configurator configurator_{catalog_, root_.path(), folder_.path()};
    loop::EventLoop loop_;
    state::StateDb state_{folder_.path(), clock_, "boot", [](std::string_view trouble) {
                              FAIL() << trouble;
                          }};
    test::RecordingSink sink_;
    engine::Governor governor_{{}};
    engine::Ledger ledger_{clock_, state_, {&sink_}};
    engine::Pipeline pipeline_{clock_, governor_, ledger_};
    test::FakeSys sys_;
    Restorer restorer_{sys_, state_};
    test::FakeHolderScan holder_scan_;
    const test::FakeProcFs proc_;
    const host::ProcFs procfs_{proc_.root()};
    trace::Trace trace_{clock_, procfs_, loop_, [] {
                            return std::make_unique<test::FakeEvents>();
                        }};
    std::vector<test::FakeKind*> kinds_;
    KindRunners runners_;
    Result<> reload_answer_;
    int rearmed_{};
    DaemonControl control_{
        parts_with(state_),
        {.version = "1.2.3", .boot_id = "boot", .started = clock_.wall_now(), .dry_run = true},
        {.advance =
             [this] {
                 pipeline_.tick();
             },
         .rearm =
             [this] {
                 ++rearmed_;
             },
         .reload =
             [this] {
                 return reload_answer_;
             }}};
};

TEST_F(DaemonControlTest, TheStatusSaysWhatRuns) {
    plant("a");
    plant("b", Grade::proven);
    const auto status = control_.status();
    EXPECT_EQ(status.version, "1.2.3");
    EXPECT_EQ(status.boot_id, "boot");
    EXPECT_TRUE(status.dry_run);
    EXPECT_FALSE(status.paused);
    EXPECT_EQ(status.ghosts, 2U);
    EXPECT_EQ(status.state_trouble, "");
    EXPECT_THAT(status.kinds, ElementsAre("fake", "fake-report"));
}

TEST_F(DaemonControlTest, AKindsStatusHasItsCounts) {
    plant("a");
    plant("b", Grade::proven);
    const auto status = control_.kind_status("fake");
    ASSERT_TRUE(status);
    EXPECT_EQ(status->suspected, 1U);
    EXPECT_EQ(status->proven, 1U);
    EXPECT_EQ(status->tracked, 2U);
    EXPECT_EQ(control_.kind_status("nothing").error().code, ErrorCode::not_found);
}

TEST_F(DaemonControlTest, ListsInPages) {
    for (const auto* key : {"a", "b", "c", "d", "e"}) {
        plant(key);
    }
    EXPECT_THAT(ids({}, 0, 2), ElementsAre(1, 2));
    EXPECT_THAT(ids({}, 2, 2), ElementsAre(3, 4));
    EXPECT_THAT(ids({}, 4, 2), ElementsAre(5));
    EXPECT_THAT(ids({}, 9, 2), IsEmpty());
    EXPECT_EQ(control_.list({}, 4, 2).total, 5U);
}

TEST_F(DaemonControlTest, ListsWhatAFilterMatchesAndWhatThePolicyWouldDo) {
    plant("a");
    const GhostId proven = plant("b", Grade::proven);
    GhostFilter filter;
    filter.grade = Grade::proven;
    const auto page = control_.list(filter, 0, 10);
    EXPECT_EQ(page.total, 1U);
    ASSERT_EQ(page.rows.size(), 1U);
    EXPECT_EQ(page.rows.front().ghost->id, proven);
    EXPECT_EQ(page.rows.front().action, Action::clean);
    EXPECT_EQ(page.rows.front().since, clock_.wall_now());
}

TEST_F(DaemonControlTest, OneStandsForMany) {
    const auto enter = [this](std::string_view key, std::string_view group) {
        Ghost ghost = test::make_ghost(std::string{key}, clock_.now());
        ghost.kind = &test::fake_info();
        ghost.group = group;
        return ledger_.enter(std::move(ghost))->id;
    };
    const GhostId summary = enter("all", "");
    const GhostId one = enter("one", "all");
    const GhostId two = enter("two", "all");
    const GhostId other = enter("other", "");
    GhostFilter everything;
    everything.members = true;
    EXPECT_THAT(ids(), ElementsAre(summary, other));
    EXPECT_THAT(ids(everything), ElementsAre(summary, one, two, other));
    GhostFilter group;
    group.group = summary;
    EXPECT_THAT(ids(group), ElementsAre(one, two));
    for (const GhostId nobody : {other, GhostId{99}}) {
        group.group = nobody;
        EXPECT_THAT(ids(group), IsEmpty());
    }
    EXPECT_THAT(control_.describe(summary).value(), HasSubstr(R"("group":null,"members_total":2)"));
    EXPECT_THAT(control_.describe(one).value(),
                HasSubstr(formatted(R"("group":{},"members_total":0)", summary)));
}

TEST_F(DaemonControlTest, AnIgnoredGhostIsOnNoPage) {
    const GhostId id = plant("a");
    plant("b");
    ASSERT_TRUE(control_.ignore(id, std::chrono::hours{1}));
    EXPECT_THAT(ids(), ElementsAre(2));
    EXPECT_EQ(control_.list({}, 0, 10).total, 1U);
    EXPECT_EQ(control_.status().ghosts, 1U);
}

TEST_F(DaemonControlTest, DescribesAndExplains) {
    const GhostId id = plant("a");
    EXPECT_THAT(control_.describe(id).value(), HasSubstr(R"("inode")"));
    EXPECT_THAT(control_.explain(id).value(), HasSubstr("planted"));
    for (const auto& told : {control_.describe(99), control_.explain(99)}) {
        ASSERT_FALSE(told);
        EXPECT_EQ(told.error().code, ErrorCode::not_found);
    }
}

TEST_F(DaemonControlTest, CleansAndRestores) {
    const GhostId id = plant("a", Grade::proven);
    EXPECT_EQ(control_.restore(id).error().code, ErrorCode::not_found);
    EXPECT_EQ(control_.clean(id, Grade::proven, "uid 1000")->verdict, Verdict::cleaned);
    EXPECT_EQ(sink_.last().actor, "uid 1000");
    EXPECT_THAT(ids(), IsEmpty());
    EXPECT_EQ(control_.clean(id, Grade::proven, "uid 1000").error().code, ErrorCode::not_found);
    EXPECT_EQ(control_.restore(id), "a");
}

TEST_F(DaemonControlTest, AHeldGhostIsLeftAlone) {
    const GhostId id = plant("a", Grade::proven);
    ASSERT_TRUE(control_.hold(id, std::chrono::hours{1}));
    clock_.advance(std::chrono::minutes{10});
    pipeline_.tick();
    EXPECT_THAT(kind().fake_cleaner().cleaned(), IsEmpty());
    EXPECT_FALSE(control_.hold(99, std::chrono::hours{1}));
}

TEST_F(DaemonControlTest, NothingIsActedUponBetweenTwoHolds) {
    const GhostId one = plant("a", Grade::proven);
    const GhostId other = plant("b", Grade::proven);
    clock_.advance(std::chrono::minutes{10});
    ASSERT_TRUE(control_.hold(one, std::chrono::hours{1}));
    ASSERT_TRUE(control_.ignore(other, std::chrono::hours{1}));
    EXPECT_EQ(rearmed_, 2);
    pipeline_.tick();
    EXPECT_THAT(kind().fake_cleaner().confirmed(), IsEmpty());
}

TEST_F(DaemonControlTest, AScanFindsWhatNoEventHasTold) {
    kind().plant("a", Grade::suspected);
    EXPECT_EQ(control_.scan({"fake"}), 1U);
    EXPECT_EQ(control_.scan({}), 1U);
    EXPECT_EQ(control_.scan({"fake", "nothing"}).error().code, ErrorCode::not_found);
}

TEST_F(DaemonControlTest, AWholeScanPassesOverKindsThatDoNotRun) {
    const KindRunner& broken = runners_.add(
        std::make_unique<KindRunner>(std::make_unique<test::FakeKind>(clock_, test::fake_info()),
                                     configurator_.kind("fake"), clock_, loop_, pipeline_, [] {}));
    EXPECT_FALSE(broken.running());
    EXPECT_TRUE(control_.scan({}));
}

TEST_F(DaemonControlTest, APolicyCountsAtOnce) {
    const GhostId id = plant("a", Grade::proven);
    ASSERT_TRUE(control_.set_policy("fake", {{"Clean", "never"}}, Lifetime::until_reload));
    EXPECT_EQ(control_.kind_status("fake")->policy.clean, CleanPolicy::never);
    EXPECT_EQ(control_.list({}, 0, 1).rows.front().action, Action::report);
    clock_.advance(std::chrono::minutes{10});
    pipeline_.tick();
    EXPECT_NE(ledger_.find(id), nullptr);
    EXPECT_FALSE(control_.set_policy("nothing", {}, Lifetime::until_reload));
    EXPECT_FALSE(control_.set_policy("fake", {{"Clean", "banana"}}, Lifetime::until_reload));
}

TEST_F(DaemonControlTest, APauseHoldsUntilAPersonEndsIt) {
    plant("a", Grade::proven);
    ASSERT_TRUE(control_.pause(true));
    EXPECT_TRUE(control_.status().paused);
    ASSERT_TRUE(configurator_.reload());
    EXPECT_TRUE(control_.status().paused) << "a reload is no person";
    clock_.advance(std::chrono::minutes{10});
    pipeline_.tick();
    EXPECT_THAT(kind().fake_cleaner().cleaned(), IsEmpty());

    governor_.set_limits({});
    DaemonControl after_a_restart{parts_with(state_), {}, {}};
    ASSERT_TRUE(after_a_restart.recall_decisions());
    EXPECT_TRUE(after_a_restart.status().paused) << "a restart is no person either";

    ASSERT_TRUE(control_.pause(false));
    EXPECT_FALSE(control_.status().paused);
    EXPECT_THAT(state_.holds().value(), IsEmpty());
    clock_.advance(std::chrono::minutes{10});
    pipeline_.tick();
    clock_.advance(std::chrono::minutes{10});
    pipeline_.tick();
    EXPECT_THAT(kind().fake_cleaner().cleaned(), ElementsAre("a"));
}

TEST_F(DaemonControlTest, AllIsPausedWhileNobodyKnowsWhatIsHeld) {
    state::StateDb unreadable{"/dev/null/nowhere", clock_, "boot", [](std::string_view) {}};
    DaemonControl control{parts_with(unreadable), {}, {.advance = [] {}, .rearm = [] {}, .reload = {}}};
    EXPECT_FALSE(control.recall_decisions());
    EXPECT_TRUE(control.status().paused);
    ASSERT_TRUE(control.pause(false));
    EXPECT_FALSE(control.status().paused) << "a person may know better";
}

TEST_F(DaemonControlTest, NamesWhoHasAFileOpenButForTheDaemon) {
    holder_scan_.answer(test::held_by({.pid = 7, .comm = "vi"}));
    const auto holders = control_.who_owns(3);
    ASSERT_TRUE(holders) << holders.error().message;
    ASSERT_EQ(holders->size(), 1U);
    EXPECT_EQ(holders->front().process->comm, "vi");
}

TEST_F(DaemonControlTest, SaysWhoHasLockedAFileAndWhoseAKindHoldsItToBe) {
    const host::Fd file{::open(root_.write("x.lock", "").c_str(), O_RDONLY | O_CLOEXEC)};
    const auto number = host::file_number(file.get()).value();
    holder_scan_.answer(test::held_by({.pid = 7, .comm = "vi"}, 4));
    proc_.add({.pid = 7, .comm = "vi"});
    const auto lock = formatted("1: FLOCK ADVISORY WRITE 6 {:02x}:{:02x}:{} 0 EOF\n", major(number.device),
                                minor(number.device), number.inode);
    proc_.write("locks", lock);
    proc_.write("7/fdinfo/4", "pos:\t0\nlock:\t" + lock);
    const auto ghost = plant("its ghost");
    OwnerReport report;
    report.kind = &test::fake_info();
    report.key = "its ghost";
    kind().answer_owners(std::move(report));
    const auto owners = control_.owners(file.get());
    ASSERT_TRUE(owners) << owners.error().message;
    EXPECT_THAT(*owners,
                HasSubstr(R"("locks":[{"type":"FLOCK","access":"WRITE","waits":false,"holder":{"pid":7)"));
    EXPECT_THAT(*owners, HasSubstr(formatted(R"("ghost":{}}}])", ghost)));
    EXPECT_EQ(kind().asked_for_owners(), host::identity_of(file.get()).value());
}

TEST_F(DaemonControlTest, SaysWhyAKindKnowsNothingOfAFile) {
    const host::Fd file{::open(root_.write("x.lock", "").c_str(), O_RDONLY | O_CLOEXEC)};
    holder_scan_.answer(test::held_by({.pid = 7, .comm = "vi"}, 4));
    proc_.write("locks", "");
    kind().answer_why_not("it is data");
    const auto owners = control_.owners(file.get());
    ASSERT_TRUE(owners) << owners.error().message;
    EXPECT_THAT(*owners, HasSubstr(R"("unclaimed":[{"kind":"fake","reason":"so","text":"it is data"}])"));
    const auto& asked = kind().asked_why_not();
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->id, host::identity_of(file.get()).value());
    EXPECT_EQ(asked->type, FileType::regular);
    EXPECT_EQ(asked->name, "x.lock");
    EXPECT_FALSE(asked->is_locked);
    EXPECT_THAT(asked->holders, ElementsAre(7));
    OwnerReport report;
    report.kind = &test::fake_info();
    kind().answer_owners(std::move(report));
    EXPECT_THAT(control_.owners(file.get()).value(), HasSubstr(R"("unclaimed":[])")) << "it is one";
}

TEST_F(DaemonControlTest, SaysNothingAboutOwnersRatherThanHalfOfIt) {
    holder_scan_.answer(fail(ErrorCode::denied, "no"));
    EXPECT_FALSE(control_.owners(3));
    holder_scan_.answer(std::vector<Holder>{});
    EXPECT_FALSE(control_.owners(-1));
}

TEST_F(DaemonControlTest, PassesOnHistoryAndReload) {
    EXPECT_THAT(control_.history({}, 10).value(), IsEmpty());
    EXPECT_TRUE(control_.reload());
    reload_answer_ = fail(ErrorCode::invalid, "no");
    EXPECT_FALSE(control_.reload());
}

TEST_F(DaemonControlTest, RestoresWhatTheStateHasKeptWhoeverHasGivenItThere) {
    Ghost ghost = test::make_ghost("of an earlier run");
    ghost.id = 17;
    ASSERT_TRUE(state_.keep(ghost, {.path = "/run/x.lock"}));
    ASSERT_TRUE(state_.settle(17));
    EXPECT_EQ(control_.quarantine(0, 10)->rows.at(0).path, "/run/x.lock");
    EXPECT_EQ(control_.restore(17), "/run/x.lock");
    EXPECT_EQ(control_.quarantine(0, 10)->total, 0U);
    EXPECT_EQ(control_.restore(17).error().code, ErrorCode::not_found);
}

TEST_F(DaemonControlTest, HandsOutAStreamOfProcesses) {
    const auto socket = control_.watch({}, 0);
    ASSERT_TRUE(socket) << socket.error().message;
    EXPECT_GE(socket->get(), 0);
    EXPECT_EQ(trace_.watchers(), 1U);
}

} // namespace
} // namespace egb
