// SPDX-License-Identifier: Apache-2.0
// The real ghostctl against a real bus: what it prints, what it asks for, how it ends.
#include "core/format.hpp"
#include "harness/bus_daemon.hpp"
#include "testing/fake_daemon.hpp"
#include "testing/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/stat.h>

namespace egb::test {

namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* no_such_ghost = "org.eghostbuster1.Error.NoSuchGhost";

sdbus::Error bus_error(const char* name, const char* message) {
    return sdbus::Error{sdbus::Error::Name{name}, message};
}

/// So long ago that its age looks the same however slow the test is.
std::uint64_t four_days_ago() {
    using namespace std::chrono;
    const auto then = system_clock::now() - days{4} - hours{2} - minutes{30};
    return static_cast<std::uint64_t>(duration_cast<microseconds>(then.time_since_epoch()).count());
}

FakeGhost ghost(std::uint64_t id, const char* grade = "proven") {
    return FakeGhost{id,
                     "tcp",
                     grade,
                     "10.0.0.1:443 waits for its application",
                     four_days_ago(),
                     false,
                     1234,
                     "java",
                     "shop.service",
                     1U,
                     "clean"};
}

const char* const description = R"({"id":17,"kind":"tcp","grade":"proven","key":"cookie:7",
    "summary":"10.0.0.1:443 waits for its application","since":1700000000000000,"since_kind":"at-least",
    "age_usec":1,"holders":[{"pid":1234,"start_ticks":5,"uid":1000,"comm":"java","exe":"/usr/bin/java",
    "unit":"shop.service","container":"","fd":42}],"evidence":[
    {"name":"peer-gone","weight":"supports","text":"the peer is gone","value":0,"change":""},
    {"name":"young","weight":"opposes","text":"it is only 5s old","value":5,"change":"time"}],
    "fields":{"state":"CLOSE_WAIT","port":443},"decision":{"action":"clean","reason":"proven, and policy says so"}})";

Script with_ghosts() {
    Script script;
    script.ghosts = {ghost(17), ghost(18, "suspected")};
    script.descriptions = {{17, description},
                           {18, R"({"id":18,"kind":"tcp","grade":"suspected","summary":"s","since":1,
                                    "decision":{"action":"report","reason":"it is only suspected"}})"}};
    return script;
}

/// 17 stands for so many others.
Script with_a_leak(std::uint64_t members) {
    auto script = with_ghosts();
    script.descriptions[17] = formatted(R"({{"id":17,"kind":"tcp","grade":"suspected","key":"leak:7@1",
        "summary":"shop.service holds {0} stuck sockets","since":1,"group":null,"members_total":{0}}})",
                                        members);
    for (std::uint64_t id = 100; id < 100 + members; ++id) {
        script.members.emplace_back(id, static_cast<std::int32_t>(id - 96), four_days_ago(), false,
                                    "CLOSE_WAIT");
    }
    return script;
}

class CtlBus : public ::testing::Test {
protected:
    void serve(Script script = with_ghosts()) { daemon_.emplace(bus_.address(), std::move(script)); }
    FakeDaemon& daemon() { return *daemon_; }
    [[nodiscard]] pid_t bus_pid() const { return bus_.pid(); }
    [[nodiscard]] std::vector<Call> calls() const { return daemon_->calls(); }

    [[nodiscard]] Environment environment() const {
        return {{"DBUS_SYSTEM_BUS_ADDRESS", bus_.address()},
                {"LANG", "C.UTF-8"},
                {"PATH", "/usr/bin:/bin"},
                {"TERM", "xterm"},
                {"TZ", "UTC"}};
    }

    [[nodiscard]] static Arguments command(Arguments arguments) {
        arguments.insert(arguments.begin(), EGB_GHOSTCTL);
        return arguments;
    }

    [[nodiscard]] Ran run(const Arguments& arguments) const {
        return Program{command(arguments), environment()}.finish();
    }

    [[nodiscard]] Ran run_on_terminal(const Arguments& arguments) const {
        return Program{command(arguments), environment(), Program::Place::terminal}.finish();
    }

private:
    BusDaemon bus_{{"--session"}};
    std::optional<FakeDaemon> daemon_;
};

TEST_F(CtlBus, WithoutAVerbItTellsTheStatus) {
    serve();
    const auto ran = run({});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_THAT(ran.out, StartsWith("● eghostbusterd 1.2.3\n    State: ok\n"));
    EXPECT_THAT(ran.out, HasSubstr("    Since: Tue 2023-11-14 22:13:20 UTC; "));
    EXPECT_THAT(ran.out, HasSubstr("   Ghosts: 2 (1 proven, 2 suspected)\n"));
    EXPECT_THAT(ran.out, HasSubstr("KIND STATE TRACKED SUSPECTED PROVEN LOST LAST SWEEP"));
    EXPECT_THAT(ran.out, HasSubstr("tcp  ok         12         2      1    0 "));
    EXPECT_THAT(ran.out, HasSubstr(" ago, took 34ms"));
    EXPECT_THAT(ran.out, HasSubstr("cleans proven after 30s\n"));
    EXPECT_THAT(ran.out, HasSubstr("`ghostctl list` shows the ghosts"));
    EXPECT_EQ(run({"status"}).out, ran.out);
}

TEST_F(CtlBus, StatusNamesTroublesAndTheNextStep) {
    auto script = with_ghosts();
    script.troubles = {"the state database is read-only"};
    script.kind_trouble = "12 events were lost";
    serve(script);
    const auto ran = run({"status"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, HasSubstr("State: degraded\n"));
    EXPECT_THAT(ran.out, HasSubstr("Trouble: the state database is read-only\n"));
    EXPECT_THAT(ran.out, HasSubstr("Trouble: tcp: 12 events were lost\n"));
    EXPECT_THAT(ran.out, HasSubstr("`ghostctl doctor` says"));
}

TEST_F(CtlBus, StatusOfAKindThatOnlyReportsForNow) {
    Script script;
    script.kind_trouble = "12 events were lost";
    serve(script);
    EXPECT_EQ(run({"status", "-q"}).out, "report-only\n");
}

TEST_F(CtlBus, StatusAsJson) {
    auto script = with_ghosts();
    script.paused = true;
    serve(script);
    const auto ran = run({"status", "--json"});
    EXPECT_EQ(ran.code, 0);
    const auto status = json::parse(ran.out);
    EXPECT_EQ(status["state"], "paused");
    EXPECT_EQ(status["version"], "1.2.3");
    EXPECT_EQ(status["started"], 1'700'000'000'000'000);
    EXPECT_EQ(status["ghosts"], 2);
    EXPECT_EQ(status["kinds"][0]["name"], "tcp");
    EXPECT_EQ(status["kinds"][0]["veto_usec"], 30'000'000);
    EXPECT_EQ(status["kinds"][0]["capabilities"][0]["works"], true);
}

TEST_F(CtlBus, ListShowsATable) {
    serve();
    const auto ran = run({"list"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out,
              "ID KIND GRADE       AGE  PID COMMAND UNIT         SUMMARY\n"
              "17 tcp  proven    4d 2h 1234 java    shop.service 10.0.0.1:443 waits for its application\n"
              "18 tcp  suspected 4d 2h 1234 java    shop.service 10.0.0.1:443 waits for its application\n"
              "\n"
              "2 ghosts listed.\n");
    EXPECT_THAT(calls(), ElementsAre(Call{"ListGhosts", " 0+1000", false},
                                     Call{"ListGhosts", "members:b=true 0+1", false}));
}

TEST_F(CtlBus, ListWithoutLegendIsOneLinePerGhost) {
    auto script = with_ghosts();
    script.ghosts.pop_back();
    serve(script);
    EXPECT_EQ(run({"list", "--no-legend"}).out,
              "17 tcp proven 4d 2h 1234 java shop.service 10.0.0.1:443 waits for its application\n");
}

TEST_F(CtlBus, AnEmptyListSaysSo) {
    serve(Script{});
    EXPECT_EQ(run({"list"}).out, "0 ghosts listed.\n");
    EXPECT_EQ(run({"list", "-q"}).out, "");
}

TEST_F(CtlBus, ListPassesTheFilterOnWithTheTypesOfTheApi) {
    serve();
    const auto ran = run({"list", "--kind", "tcp", "--grade=proven", "--pid", "7", "--uid", "1000", "--unit",
                          "shop.service", "--container", "3f", "--comm", "java", "--min-age", "1min 30s"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(calls(),
                ElementsAre(Call{"ListGhosts",
                                 "comm=java container=3f grade=proven kind=tcp min_age:t=90000000 pid:i=7 "
                                 "uid:u=1000 unit=shop.service 0+1000",
                                 false},
                            Call{"ListGhosts",
                                 "comm=java container=3f grade=proven kind=tcp members:b=true "
                                 "min_age:t=90000000 pid:i=7 uid:u=1000 unit=shop.service 0+1",
                                 false}));
}

TEST_F(CtlBus, ListTurnsThePages) {
    Script script;
    for (std::uint64_t id = 1; id <= 2500; ++id) {
        script.ghosts.push_back(ghost(id));
    }
    serve(script);
    const auto ran = run({"list"});
    EXPECT_THAT(ran.out, EndsWith("\n\n2500 ghosts listed.\n"));
    EXPECT_EQ(std::ranges::count(ran.out, '\n'), 2500 + 3);
    EXPECT_THAT(calls(),
                ElementsAre(Call{"ListGhosts", " 0+1000", false}, Call{"ListGhosts", " 1000+1000", false},
                            Call{"ListGhosts", " 2000+1000", false},
                            Call{"ListGhosts", "members:b=true 0+1", false}));
}

TEST_F(CtlBus, ListSaysHowManyAreFoldedAway) {
    serve(with_a_leak(120));
    EXPECT_THAT(run({"list"}).out,
                EndsWith("\n\n2 ghosts listed. 120 more are folded into summaries; --all lists them.\n"));
    EXPECT_THAT(run({"list", "--all"}).out, EndsWith("\n\n122 ghosts listed.\n"));
    EXPECT_EQ(std::ranges::count(run({"list", "--all", "-q"}).out, '\n'), 122);
    EXPECT_THAT(calls(), ElementsAre(Call{"ListGhosts", " 0+1000", false},
                                     Call{"ListGhosts", "members:b=true 0+1", false},
                                     Call{"ListGhosts", "members:b=true 0+1000", false},
                                     Call{"ListGhosts", "members:b=true 0+1000", false}));
}

TEST_F(CtlBus, ListAsJson) {
    serve();
    const auto row = json::parse(run({"--json", "list"}).out)["ghosts"][0];
    EXPECT_EQ(row["id"], 17);
    EXPECT_EQ(row["grade"], "proven");
    EXPECT_EQ(row["since_kind"], "observed");
    EXPECT_EQ(row["comm"], "java");
    EXPECT_EQ(row["action"], "clean");
}

TEST_F(CtlBus, ListFitsTheTerminalUnlessToldNotTo) {
    serve();
    const auto cut = run_on_terminal({"list", "--color=never"});
    EXPECT_THAT(
        cut.out,
        HasSubstr("17 tcp  proven    4d 2h 1234 java    shop.service 10.0.0.1:443 waits for its ap…\r\n"));
    EXPECT_THAT(run_on_terminal({"list", "--full", "--color=never"}).out,
                HasSubstr("shop.service 10.0.0.1:443 waits for its application\r\n"));
}

TEST_F(CtlBus, ColourIsForTerminals) {
    serve();
    EXPECT_THAT(run_on_terminal({"list"}).out, HasSubstr("\x1b[1;31mproven\x1b[0m"));
    EXPECT_THAT(run({"list"}).out, Not(HasSubstr("\x1b")));
    EXPECT_THAT(run({"list", "--color=always"}).out, HasSubstr("\x1b[1;31mproven\x1b[0m"));
}

TEST_F(CtlBus, AProcessCannotSpeakToTheTerminalThroughItsName) {
    Script script;
    script.ghosts = {ghost(17)};
    std::get<7>(script.ghosts[0]) = "a\x1b[2Jb";
    serve(script);
    EXPECT_THAT(run({"list"}).out, AllOf(HasSubstr("a\\x1b[2Jb"), Not(HasSubstr("\x1b"))));
}

TEST_F(CtlBus, ShowGroupsEverything) {
    serve();
    const auto ran = run({"show", "17"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, StartsWith("● tcp 17 - 10.0.0.1:443 waits for its application\n"
                                    "       Grade: proven\n"
                                    "       Since: Tue 2023-11-14 22:13:20 UTC; "));
    EXPECT_THAT(
        ran.out,
        EndsWith(" ago, or longer\n"
                 "    Decision: clean (proven, and policy says so)\n"
                 "     Held by: 1234 (java), uid 1000, descriptor 42, unit shop.service, exe /usr/bin/java\n"
                 "      For it: the peer is gone [peer-gone]\n"
                 "  Against it: it is only 5s old [young]\n"
                 "      Fields: state=CLOSE_WAIT\n"
                 "              port=443\n"
                 "         Key: cookie:7\n"));
    EXPECT_EQ(json::parse(run({"show", "17", "--json"}).out)["ghosts"][0]["key"], "cookie:7");
}

TEST_F(CtlBus, ShowSaysWhatItsProcessesHaveToDoWithIt) {
    auto script = with_ghosts();
    script.descriptions[18] =
        R"({"id":18,"kind":"lockfile","grade":"proven","bond":"made by","holders":[{"pid":1234,"comm":"git"}]})";
    serve(script);
    const auto out = run({"show", "18"}).out;
    EXPECT_THAT(out, HasSubstr("     Made by: 1234 (git)"));
    EXPECT_THAT(out, Not(HasSubstr("Held by")));
}

TEST_F(CtlBus, ShowOfASummaryListsItsMembersWithTheirDescriptors) {
    serve(with_a_leak(120));
    const auto out = run({"show", "17"}).out;
    EXPECT_THAT(out, HasSubstr("\n\n ID FD   AGE SUMMARY\n"
                               "100  4 4d 2h CLOSE_WAIT\n"
                               "101  5 4d 2h CLOSE_WAIT\n"));
    EXPECT_THAT(out, EndsWith("\n\n70 more; `ghostctl show 17 --json` has all of them.\n"));
    EXPECT_THAT(out, Not(HasSubstr("\n150 ")));

    const auto shown = json::parse(run({"show", "17", "--json"}).out)["ghosts"][0];
    EXPECT_EQ(shown["key"], "leak:7@1");
    ASSERT_EQ(shown["members"].size(), 120U);
    EXPECT_EQ(shown["members"][119]["id"], 219);
    EXPECT_EQ(shown["members"][119]["fd"], 123);
    EXPECT_EQ(shown["members"][119]["since_kind"], "observed");
    EXPECT_THAT(calls(), ElementsAre(Call{"Describe", "17", false}, Call{"ListMembers", "17 0+50", false},
                                     Call{"Describe", "17", false}, Call{"ListMembers", "17 0+120", false}));
}

TEST_F(CtlBus, ShowOfAMemberNamesItsSummary) {
    auto script = with_a_leak(1);
    script.descriptions[18] = R"({"id":18,"kind":"tcp","grade":"proven","summary":"s","since":1,"key":"7@1",
                                  "group":17,"members_total":0})";
    serve(std::move(script));
    EXPECT_THAT(run({"show", "18"}).out, EndsWith("         Key: 7@1\n     Part of: 17\n"));
}

TEST_F(CtlBus, WhatIsNotThereIsNamedAndTheRestIsShown) {
    serve();
    const auto ran = run({"show", "17", "99"});
    EXPECT_EQ(ran.code, 5);
    EXPECT_THAT(ran.out, StartsWith("● tcp 17"));
    EXPECT_THAT(ran.err, StartsWith("ghostctl: there is no ghost 99\n`ghostctl list` shows"));
}

TEST_F(CtlBus, ExplainPrintsTheDaemonsWords) {
    serve();
    const auto ran = run({"explain", "#17"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out, "Ghost 17: why\n\nFor it\n  - something\n");
    EXPECT_EQ(json::parse(run({"explain", "17", "--json"}).out)["explanations"][0]["id"], 17);
    EXPECT_EQ(run({"explain", "99"}).code, 5);
}

TEST_F(CtlBus, CleanTellsWhatCameOfEach) {
    auto script = with_ghosts();
    script.outcomes.emplace(18, FakeOutcome{18, "refused", "it is only suspected"});
    serve(script);
    const auto ran = run({"clean", "17", "18"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.out, "ID VERDICT REASON\n"
                       "17 cleaned it is gone\n"
                       "18 refused it is only suspected\n"
                       "\n"
                       "1 of 2 ghosts cleaned.\n");
    EXPECT_EQ(run({"clean", "18"}).code, 6);
    EXPECT_EQ(run({"clean", "17", "-q"}).out, "");
    EXPECT_THAT(calls(), ElementsAre(Call{"Clean", "17,18 ", false}, Call{"Clean", "18 ", false},
                                     Call{"Clean", "17 ", false}));
}

TEST_F(CtlBus, CleanOfASuspicionHasToBeAskedFor) {
    serve();
    const auto outcome = json::parse(run({"clean", "18", "--suspected", "--json"}).out)["outcomes"][0];
    EXPECT_EQ(outcome["verdict"], "cleaned");
    EXPECT_THAT(calls(), ElementsAre(Call{"Clean", "18 suspected:b=true", false}));
}

TEST_F(CtlBus, CleanAllPassesWhatTheFilterLetsThrough) {
    serve();
    EXPECT_EQ(run({"clean", "--all", "--kind", "tcp"}).code, 2) << "nobody is there to be asked";
    EXPECT_EQ(run({"clean", "--all", "--yes", "--kind", "tcp"}).code, 0);
    EXPECT_THAT(calls(), ElementsAre(Call{"ListGhosts", "kind=tcp members:b=true 0+1000", false},
                                     Call{"Clean", "17,18 ", false}));
}

TEST_F(CtlBus, CleanSendsNoMoreIdsThanACallTakes) {
    serve(Script{});
    Arguments arguments{"clean", "-q"};
    std::string first;
    for (int id = 1; id <= 1001; ++id) {
        arguments.push_back(std::to_string(id));
        first += id == 1001 ? "" : formatted("{}{}", id == 1 ? "" : ",", id);
    }
    EXPECT_EQ(run(arguments).code, 0);
    EXPECT_THAT(calls(), ElementsAre(Call{"Clean", first + " ", false}, Call{"Clean", "1001 ", false}));
}

TEST_F(CtlBus, CleanDryRunTouchesNothing) {
    serve();
    const auto ran = run({"clean", "--dry-run", "17", "18"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, HasSubstr("17 tcp  proven    clean  clean  proven, and policy says so\n"));
    EXPECT_THAT(ran.out, HasSubstr("18 tcp  suspected refuse report it is only suspected; --suspected"));
    EXPECT_THAT(ran.out,
                EndsWith("1 of 2 ghosts would be cleaned, if a last look confirms what is known now. "
                         "Nothing was done.\n"));
    EXPECT_THAT(calls(), ElementsAre(Call{"Describe", "17", false}, Call{"Describe", "18", false}));
    EXPECT_EQ(json::parse(run({"clean", "-n", "18", "-s", "--json"}).out)["forecasts"][0]["would"], "clean");
    EXPECT_EQ(run({"clean", "-n", "99"}).code, 5);
}

TEST_F(CtlBus, CleanAllAsksAPersonFirst) {
    serve();
    Program no{command({"clean", "--all"}), environment(), Program::Place::terminal};
    ASSERT_TRUE(no.wait_for("Clean 2 ghosts? [y/N] "));
    no.type("n\n");
    const auto refused = no.finish();
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.out, HasSubstr("Nothing was done."));
    EXPECT_THAT(calls(), ElementsAre(Call{"ListGhosts", "members:b=true 0+1000", true}));

    Program yes{command({"clean", "--all"}), environment(), Program::Place::terminal};
    ASSERT_TRUE(yes.wait_for("Clean 2 ghosts? [y/N] "));
    yes.type("y\n");
    EXPECT_EQ(yes.finish().code, 0);
    EXPECT_EQ(calls().back(), (Call{"Clean", "17,18 ", true}));

    EXPECT_EQ(run_on_terminal({"clean", "--all", "--yes"}).code, 0);
}

TEST_F(CtlBus, APasswordMayBeAskedForOnATerminalOnly) {
    serve();
    EXPECT_EQ(run_on_terminal({"pause"}).code, 0);
    EXPECT_EQ(run_on_terminal({"pause", "--no-ask-password"}).code, 0);
    EXPECT_EQ(run({"pause"}).code, 0);
    EXPECT_THAT(calls(), ElementsAre(Call{"Pause", "true", true}, Call{"Pause", "true", false},
                                     Call{"Pause", "true", false}));
}

TEST_F(CtlBus, HoldAndIgnoreLeaveGhostsAlone) {
    serve();
    EXPECT_EQ(run({"hold", "17"}).out, "1 ghost held for 1h.\n");
    EXPECT_EQ(run({"hold", "17", "18", "--for", "90"}).out, "2 ghosts held for 1min 30s.\n");
    EXPECT_EQ(run({"hold", "17", "--release"}).out, "1 ghost no longer held.\n");
    EXPECT_EQ(run({"ignore", "18", "--for", "infinity"}).out, "1 ghost ignored for good.\n");
    EXPECT_EQ(run({"ignore", "18", "-q"}).out, "");
    EXPECT_EQ(json::parse(run({"hold", "17", "--for", "1s", "--json"}).out),
              json::parse(R"({"held":[17],"usec":1000000})"));
    EXPECT_THAT(calls(),
                ElementsAre(Call{"Hold", "17 3600000000", false}, Call{"Hold", "17,18 90000000", false},
                            Call{"Hold", "17 0", false}, Call{"Ignore", "18 18446744073709551615", false},
                            Call{"Ignore", "18 86400000000", false}, Call{"Hold", "17 1000000", false}));
}

TEST_F(CtlBus, RestoreSaysWhereItIs) {
    serve();
    EXPECT_EQ(run({"restore", "17"}).out, "17 is back: /run/lock/17.lock\n");
    EXPECT_EQ(json::parse(run({"restore", "17", "--json"}).out)["restored"][0]["path"], "/run/lock/17.lock");
}

TEST_F(CtlBus, ScanCountsWhatThereIs) {
    serve();
    EXPECT_EQ(run({"scan"}).out, "Looked at everything: there are 2 ghosts now.\n");
    EXPECT_EQ(json::parse(run({"scan", "tcp", "--json"}).out),
              json::parse(R"({"kinds":["tcp"],"ghosts":2})"));
    EXPECT_THAT(calls(), ElementsAre(Call{"Scan", "", false}, Call{"Scan", "tcp", false}));
}

TEST_F(CtlBus, HistoryShowsWhatBecameOfGhosts) {
    Script script;
    script.incidents = {FakeIncident{5, 1'700'000'000'000'000U, "acted", 17U, "tcp", "proven", "10.0.0.1:443",
                                     "cleaned", "it is gone", "policy"},
                        FakeIncident{4, 1'699'999'999'000'000U, "appeared", 17U, "tcp", "proven",
                                     "10.0.0.1:443", "", "", ""}};
    serve(script);
    const auto ran =
        run({"history", "-n", "2", "--since", "2023-11-14", "--verdict", "cleaned", "--ghost", "17"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out, "TIME                GHOST KIND GRADE  WHAT     SUMMARY\n"
                       "2023-11-14 22:13:20    17 tcp  proven cleaned  10.0.0.1:443: it is gone (by policy)\n"
                       "2023-11-14 22:13:19    17 tcp  proven appeared 10.0.0.1:443\n"
                       "\n"
                       "2 incidents, the newest first. There may be more: --lines, --until\n");
    EXPECT_THAT(calls(),
                ElementsAre(Call{"History", "ghost:t=17 since:t=1699920000000000 verdict=cleaned 2", false}));
    const auto incidents = json::parse(run({"history", "--json"}).out)["incidents"];
    EXPECT_EQ(incidents[0]["actor"], "policy");
    EXPECT_TRUE(incidents[1]["verdict"].is_null());
}

TEST_F(CtlBus, QuarantineListsWhatCanBeRestored) {
    Script script;
    script.quarantined = {
        FakeQuarantined{17U, "lockfile", 1'700'000'000'000'000U, "/run/lock/backup.lock", "file", 5U},
        FakeQuarantined{19U, "lockfile", 1'700'000'000'000'000U, "/home/a/SingletonLock", "link", 9U}};
    serve(script);
    EXPECT_EQ(run({"quarantine"}).out, "GHOST KIND     SINCE               TYPE SIZE PATH\n"
                                       "   17 lockfile 2023-11-14 22:13:20 file    5 /run/lock/backup.lock\n"
                                       "   19 lockfile 2023-11-14 22:13:20 link    9 /home/a/SingletonLock\n"
                                       "\n"
                                       "2 files in quarantine. To put one back: ghostctl restore GHOST\n");
    EXPECT_EQ(run({"quarantine", "-q"}).out, "17\n19\n");
    EXPECT_EQ(json::parse(run({"quarantine", "--json"}).out)["files"][1]["path"], "/home/a/SingletonLock");
    EXPECT_THAT(calls(), testing::Each(Call{"ListQuarantine", "0+1000", false}));
}

TEST_F(CtlBus, AnEmptyQuarantineSaysSo) {
    serve();
    EXPECT_EQ(run({"quarantine"}).out, "0 files in quarantine.\n");
}

TEST_F(CtlBus, PolicyShowsAndSets) {
    serve();
    const auto shown = run({"policy", "show", "tcp"});
    EXPECT_EQ(shown.code, 0);
    EXPECT_THAT(shown.out,
                HasSubstr("tcp  Clean proven proven  choice:never,proven,suspected What is cleaned unasked\n"
                          "tcp  Veto  1min   30s     span                          How long"));
    EXPECT_EQ(run({"policy", "-q"}).out, "[tcp]\nClean=proven\nVeto=1min\n");
    EXPECT_EQ(json::parse(run({"policy", "--json"}).out)["policies"][0]["options"][1]["value"], "1min");
    EXPECT_THAT(run({"policy", "set", "tcp", "Clean=never"}).out, StartsWith("1 option set for tcp, until"));
    EXPECT_EQ(run({"policy", "set", "tcp", "Clean=proven", "Veto=a=b", "--persistent"}).out,
              "2 options set for tcp, for good.\n");
    EXPECT_THAT(calls(), ElementsAre(Call{"SetPolicy", "tcp Clean=never until-reload", false},
                                     Call{"SetPolicy", "tcp Clean=proven Veto=a=b persistent", false}));
    EXPECT_EQ(run({"policy", "show", "ipc"}).code, 5);
}

TEST_F(CtlBus, PauseAndResume) {
    serve();
    EXPECT_THAT(run({"pause"}).out, StartsWith("Paused: "));
    EXPECT_THAT(run({"resume"}).out, StartsWith("Resumed: "));
    EXPECT_EQ(json::parse(run({"pause", "--json"}).out), json::parse(R"({"paused":true})"));
    EXPECT_THAT(calls(), ElementsAre(Call{"Pause", "true", false}, Call{"Pause", "false", false},
                                     Call{"Pause", "true", false}));
}

TEST_F(CtlBus, AReloadThatFailsNamesFileLineAndReason) {
    Script script;
    script.errors.emplace("Reload",
                          bus_error("org.eghostbuster1.Error.BadOption",
                                    "/etc/eghostbuster/eghostbuster.conf:3: Veto: expected a time span"));
    serve(script);
    const auto ran = run({"reload"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.err, "ghostctl: /etc/eghostbuster/eghostbuster.conf:3: Veto: expected a time span\n"
                       "The configuration is as it was before.\n");
}

constexpr const char* owners_of_a_lock = R"({
    "holders":[{"pid":1234,"start_ticks":5,"uid":1000,"comm":"java","exe":"/usr/bin/java",
                "unit":"shop.service","container":null,"fd":42}],
    "locks":[{"type":"FLOCK","access":"WRITE","waits":false,"holder":{"pid":1234,"comm":"java"}},
             {"type":"POSIX","access":"READ","waits":true,"holder":null}],
    "claims":[{"kind":"lockfile","summary":"a lock, created exclusively by open","verdict":"owned","since":1,
               "claimants":[
                   {"role":"creator","lives":false,"end":"killed by SIGKILL",
                    "process":{"pid":4711,"comm":"backup.sh","unit":"backup.service"}},
                   {"role":"heir","lives":true,"end":null,"process":{"pid":4712,"comm":"rsync"}}],
               "claimants_unnamed":2,"evidence":[{"name":"created-exclusively","text":"it was seen"}],
               "ghost":17}]})";

TEST_F(CtlBus, WhoOwnsAsksByDescriptorAndNeedsNoRightsForThat) {
    Script script;
    script.owners = owners_of_a_lock;
    serve(script);
    const auto file = std::filesystem::temp_directory_path() / formatted("egb-who-owns-{}", getpid());
    std::ofstream{file} << "x";
    struct stat status{};
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    const auto ran = run({"who-owns", file.string()});
    const auto pids = run({"who-owns", "-q", file.string()});
    const auto as_json = json::parse(run({"who-owns", "--json", file.string()}).out);
    std::filesystem::remove(file);
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, StartsWith(" PID  UID FD COMMAND UNIT         CONTAINER EXE\n"
                                    "1234 1000 42 java    shop.service -         /usr/bin/java\n"
                                    "java (pid 1234) has a lock on it that the kernel keeps (FLOCK, WRITE).\n"
                                    "Somebody waits for a lock on it that the kernel keeps (POSIX, READ).\n"
                                    "It is a lock, created exclusively by open "));
    EXPECT_THAT(ran.out, EndsWith(" ago by backup.sh (pid 4711) of backup.service, killed by SIGKILL.\n"
                                  "Owners: rsync (pid 4712), and 2 more.\n"
                                  "  - it was seen [created-exclusively]\n"
                                  "It is ghost 17; `ghostctl explain 17` has the details.\n"));
    EXPECT_EQ(pids.out, "1234\n4712\n") << "those who live, each once";
    EXPECT_EQ(as_json["files"][0]["path"], file.string());
    EXPECT_EQ(as_json["files"][0]["holders"][0]["pid"], 1234);
    EXPECT_EQ(as_json["files"][0]["claims"], json::parse(owners_of_a_lock)["claims"]);
    EXPECT_EQ(calls().front(), (Call{"Owners", std::to_string(status.st_ino), false}));
}

TEST_F(CtlBus, WhoOwnsNamesNotTheBusThatHasPassedTheFileOn) {
    Script script;
    script.owners =
        formatted(R"({{"holders":[{{"pid":{},"comm":"dbus-daemon"}},{{"pid":7,"comm":"vi"}}]}})", bus_pid());
    serve(script);
    EXPECT_EQ(run({"who-owns", "-q", "/"}).out, "7\n");
}

/// As in a container, where it says another pid than the daemon; and the bus of somebody's own, which has the
/// file for him.
TEST_F(CtlBus, WhoOwnsKnowsTheBusByItsUnitAndUser) {
    const auto holder = [](int pid, uid_t uid, std::string_view container) {
        return formatted(R"({{"pid":{},"uid":{},"comm":"dbus-broker","unit":"dbus-broker.service",)"
                         R"("container":{}}})",
                         pid, uid, container);
    };
    Script script;
    script.owners =
        formatted(R"({{"holders":[{},{},{}]}})", holder(1'000'001, ::getuid(), "null"),
                  holder(1'000'002, ::getuid() + 1000, "null"), holder(1'000'003, ::getuid(), R"("other")"));
    serve(script);
    EXPECT_EQ(run({"who-owns", "-q", "/"}).out, "1000002\n1000003\n");
}

TEST_F(CtlBus, WhoOwnsSaysWhyNothingIsKnown) {
    Script script;
    script.owners = R"({"unclaimed":[{"kind":"lockfile","reason":"data-file","text":"it is data"}]})";
    serve(script);
    EXPECT_EQ(run({"who-owns", "/"}).out,
              "No process holds /.\nThe kind lockfile knows nothing of it: it is data [data-file].\n");
    EXPECT_EQ(run({"who-owns", "-q", "/"}).out, "");
    EXPECT_EQ(json::parse(run({"who-owns", "--json", "/"}).out)["files"][0]["unclaimed"][0]["reason"],
              "data-file");
}

TEST_F(CtlBus, WhoOwnsSaysWhatIsKnownOfNobody) {
    for (const auto& [verdict, sentence] :
         {std::pair{"ownerless", "Nobody who can have owned it is left.\n"},
          std::pair{"unknown", "Whether somebody owns it is not known.\n"}}) {
        Script script;
        script.owners =
            formatted(R"({{"claims":[{{"summary":"a lock","verdict":"{}","since":null,"claimants":[)"
                      R"({{"role":"creator","lives":false,"end":null,"process":{{"pid":9}}}}]}}]}})",
                      verdict);
        serve(script);
        EXPECT_EQ(
            run({"who-owns", "/"}).out,
            formatted("No process holds /.\nIt is a lock by a process (pid 9), of whom nothing is known by "
                      "now.\n{}",
                      sentence));
        EXPECT_EQ(run({"who-owns", "-q", "/"}).out, "");
    }
}

TEST_F(CtlBus, WhoOwnsDoesNotTakeNonsenseForAnAnswer) {
    Script script;
    script.owners = "nonsense";
    serve(script);
    EXPECT_EQ(run({"who-owns", "/"}).err, "ghostctl: The daemon's answer is not JSON.\n");
}

TEST_F(CtlBus, WhoOwnsOpensNoPipeAndNoDevice) {
    serve();
    EXPECT_EQ(run({"who-owns", "/dev/null"}).out, "No process holds /dev/null.\n");
    EXPECT_THAT(calls(), ElementsAre(Call{"OwnersOfPath", "/dev/null", false}));
}

TEST_F(CtlBus, WhoOwnsOfAFileThatIsNotThere) {
    serve();
    const auto ran = run({"who-owns", "/nonexistent/file"});
    EXPECT_EQ(ran.code, 5);
    EXPECT_EQ(ran.err, "ghostctl: There is no file /nonexistent/file.\n");
    EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(CtlBus, KindsAndVersion) {
    serve();
    EXPECT_EQ(run({"kinds"}).out, "NAME STATE REACH  SUMMARY\n"
                                  "tcp  ok    cleans Sockets that wait for an application\n"
                                  "\n"
                                  "1 kind listed.\n");
    EXPECT_EQ(run({"kinds", "-q"}).out, "tcp\n");
    EXPECT_EQ(json::parse(run({"kinds", "--json"}).out)["kinds"][0]["reach"], "cleans");
    EXPECT_EQ(run({"version"}).out, "ghostctl " EGB_VERSION "\neghostbusterd 1.2.3\n");
    EXPECT_EQ(json::parse(run({"version", "--json"}).out)["eghostbusterd"], "1.2.3");
}

TEST_F(CtlBus, DoctorIsContentWhenEverythingWorks) {
    Script script;
    script.version = EGB_VERSION;
    serve(script);
    const auto report = json::parse(run({"doctor", "--json"}).out);
    EXPECT_EQ(report["sections"][1]["findings"][0]["health"], "good");
    EXPECT_EQ(report["sections"][2]["title"], "Kind tcp");
    EXPECT_EQ(report["sections"][2]["findings"][1]["name"], "tracking");
    EXPECT_EQ(report["sections"][2]["findings"][1]["health"], "good");
}

TEST_F(CtlBus, DoctorNamesWhatDoesNotWork) {
    Script script;
    script.version = EGB_VERSION;
    script.capabilities.emplace_back("sock-destroy", false, "this kernel has no bpf_sock_destroy");
    serve(script);
    const auto ran = run({"doctor"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.out, HasSubstr("  ✓ tracking      tp_btf/inet_sock_set_state\n"));
    EXPECT_THAT(ran.out, HasSubstr("  ✗ sock-destroy  this kernel has no bpf_sock_destroy\n"));
    EXPECT_THAT(run({"doctor", "-q"}).out, Not(HasSubstr("✓")));
}

TEST_F(CtlBus, DoctorNoticesAnUpgradeWithoutARestart) {
    serve(Script{});
    const auto ran = run({"doctor"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.out, HasSubstr("ghostctl is " EGB_VERSION ", eghostbusterd 1.2.3\n"));
    EXPECT_THAT(ran.out, HasSubstr("systemctl restart eghostbuster"));
}

TEST_F(CtlBus, WatchTellsWhatHappens) {
    serve();
    Program watch{command({"watch", "--json", "--lines", "4"}), environment()};
    EXPECT_EQ(json::parse(watch.line())["event"], "watching");
    daemon().emit_appeared(17, "a socket", 3);
    daemon().emit_pending(17, "a socket", 30'000'000);
    daemon().emit_changed();
    daemon().emit_cleaned(17, "cleaned", "it is gone");
    daemon().emit_vanished(18, "the process has closed it");

    const auto appeared = json::parse(watch.line());
    EXPECT_EQ(appeared["event"], "appeared");
    EXPECT_EQ(appeared["id"], 17);
    EXPECT_EQ(appeared["grade"], "suspected");
    EXPECT_EQ(appeared["more"], 3);
    EXPECT_EQ(json::parse(watch.line())["until_act_usec"], 30'000'000);
    const auto manager = json::parse(watch.line());
    EXPECT_EQ(manager["event"], "changed");
    EXPECT_TRUE(manager["kind"].is_null());
    EXPECT_EQ(manager["properties"]["Ghosts"], 2);
    const auto kind = json::parse(watch.line());
    EXPECT_EQ(kind["kind"], "tcp");
    EXPECT_EQ(kind["properties"]["Suspected"], 2);
    EXPECT_EQ(json::parse(watch.line())["verdict"], "cleaned");
    EXPECT_EQ(json::parse(watch.line())["reason"], "the process has closed it");
    EXPECT_EQ(watch.finish().code, 0);
}

TEST_F(CtlBus, WatchInWords) {
    serve();
    Program watch{command({"watch", "-n", "2"}), environment(), Program::Place::terminal};
    ASSERT_TRUE(watch.wait_for("Watching; Ctrl-C ends it."));
    daemon().emit_pending(17, "a socket", 30'000'000);
    daemon().emit_appeared(18, "another", 2);
    const auto ran = watch.finish();
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, HasSubstr("will be acted upon in 30s (to object: ghostctl hold 17): a socket"));
    EXPECT_THAT(ran.out, HasSubstr("suspected: another (and 2 more)"));
}

TEST_F(CtlBus, WatchGoesOnOverARestartAndEndsWithASignal) {
    serve();
    Program watch{command({"watch", "--json"}), environment()};
    EXPECT_EQ(json::parse(watch.line())["event"], "watching");
    serve();
    EXPECT_EQ(json::parse(watch.line())["event"], "stopped");
    EXPECT_EQ(json::parse(watch.line())["event"], "started");
    daemon().emit_vanished(17, "it went");
    EXPECT_EQ(json::parse(watch.line())["event"], "vanished");
    watch.signal(SIGINT);
    EXPECT_EQ(watch.finish().code, 0);
}

TEST_F(CtlBus, WatchLeavesOutOtherKinds) {
    serve();
    Program watch{command({"watch", "--json", "--kind", "ipc"}), environment()};
    EXPECT_EQ(json::parse(watch.line())["event"], "watching");
    daemon().emit_appeared(17, "a socket", 0);
    serve();
    EXPECT_EQ(json::parse(watch.line())["event"], "stopped");
    watch.signal(SIGTERM);
    EXPECT_EQ(watch.finish().code, 0);
}

const char* const stream =
    R"({"event":"watching","time":1,"boot_id":"b"}
{"event":"exec","time":1700000000000000,"pid":7,"ppid":1,"uid":0,"comm":"sh","exe":"/bin/sh","args":["sh","-c","a"]}
{"event":"lost","count":4}
{"event":"exit","time":1700000000000000,"pid":7,"ppid":1,"uid":0,"comm":"sh","exe":"/bin/sh","status":3,"signal":null,"core":false,"duration_usec":5000}
)";

Script with_a_stream() {
    Script script;
    script.stream = stream;
    return script;
}

TEST_F(CtlBus, TraceShowsProcessesAndEndsWithTotals) {
    serve(with_a_stream());
    const auto ran = run({"trace", "--for", "200ms"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, StartsWith("TIME     EVENT COMM"));
    EXPECT_THAT(ran.out, HasSubstr("22:13:20 exec  sh                    7       1 /bin/sh -c a\n"));
    EXPECT_THAT(ran.out, HasSubstr("3 after 5ms\n"));
    EXPECT_THAT(ran.err, HasSubstr("4 events were lost here"));
    EXPECT_THAT(ran.err, HasSubstr("2 events (1 exec, 1 exit, 1 failed) in"));
    EXPECT_THAT(ran.err, HasSubstr("4 lost because this reader was slow"));
}

TEST_F(CtlBus, TraceAsJsonIsTheStreamAsItComes) {
    serve(with_a_stream());
    const auto ran = run({"trace", "--json", "--for", "200ms"});
    EXPECT_EQ(ran.out, stream);
    EXPECT_EQ(ran.err, "");
}

TEST_F(CtlBus, TraceEndsWithASignalAndTotals) {
    serve(with_a_stream());
    Program program{command({"trace"}), environment()};
    EXPECT_TRUE(program.wait_for("3 after 5ms"));
    program.signal(SIGINT);
    const auto ran = program.finish();
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.err, HasSubstr("2 events"));
}

TEST_F(CtlBus, TraceCountsInPlaceOfRows) {
    serve(with_a_stream());
    const auto ran = run({"trace", "--count", "--for", "200ms"});
    EXPECT_THAT(ran.out, StartsWith("STARTED FAILED SHORT MOST/S STORM EXECUTABLE\n      1      1     1"));
    EXPECT_THAT(ran.out, HasSubstr("2 events"));
    const auto counted = json::parse(run({"trace", "--count", "--json", "--for", "200ms"}).out);
    EXPECT_EQ(counted["executables"][0]["exe"], "/bin/sh");
    EXPECT_EQ(counted["lost_by_reader"], 4);
}

TEST_F(CtlBus, TracePassesTheFilterOnWithTheTypesOfTheApi) {
    serve(with_a_stream());
    EXPECT_EQ(run({"trace", "--for", "1ms"}).code, 0);
    EXPECT_EQ(run({"trace", "-d", "500", "--uid", "7", "--comm", "sh", "--unit", "a.service", "--cgroup",
                   "/a", "-p", "9", "--failed", "--fork", "--cwd", "--for", "1ms"})
                  .code,
              0);
    EXPECT_THAT(calls(),
                ElementsAre(Call{"Watch", "process ", false},
                            Call{"Watch",
                                 "process cgroup=/a comm=sh cwd:b=true events:as=exec,fork,exit "
                                 "failed:b=true min_duration:t=500000 pid:i=9 uid:u=7 unit=a.service",
                                 false}));
}

TEST_F(CtlBus, TraceSaysWhenTheDaemonHasEndedIt) {
    auto script = with_a_stream();
    script.stream_ends = true;
    serve(std::move(script));
    const auto ran = run({"trace"});
    EXPECT_EQ(ran.code, 3);
    EXPECT_THAT(ran.out, HasSubstr("3 after 5ms"));
    EXPECT_THAT(ran.err, HasSubstr("The daemon has ended the stream."));
}

TEST_F(CtlBus, TraceWithoutTheRightSaysSo) {
    Script script;
    script.errors = {{"Watch", bus_error("org.freedesktop.DBus.Error.AccessDenied", "no")}};
    serve(std::move(script));
    EXPECT_EQ(run({"trace"}).code, 4);
}

TEST_F(CtlBus, NoDaemonOnTheBus) {
    for (const Arguments& arguments : std::vector<Arguments>{{},
                                                             {"list"},
                                                             {"show", "1"},
                                                             {"explain", "1"},
                                                             {"watch"},
                                                             {"history"},
                                                             {"who-owns", "/"},
                                                             {"clean", "1"},
                                                             {"hold", "1"},
                                                             {"ignore", "1"},
                                                             {"restore", "1"},
                                                             {"scan"},
                                                             {"policy"},
                                                             {"pause"},
                                                             {"resume"},
                                                             {"reload"},
                                                             {"kinds"}}) {
        const auto ran = run(arguments);
        EXPECT_EQ(ran.code, 3) << ::testing::PrintToString(arguments);
        EXPECT_EQ(ran.out, "") << ::testing::PrintToString(arguments);
        EXPECT_EQ(ran.err, "ghostctl: eghostbusterd is not running.\n"
                           "Start it with: systemctl start eghostbuster\n");
    }
}

TEST_F(CtlBus, DoctorAndVersionHaveAnAnswerWithoutADaemon) {
    const auto doctor = run({"doctor"});
    EXPECT_EQ(doctor.code, 3);
    EXPECT_THAT(doctor.out, HasSubstr("✗ daemon  eghostbusterd is not running."));
    EXPECT_THAT(doctor.out, HasSubstr("– polkit "));
    EXPECT_THAT(doctor.out, HasSubstr("– unit "));
    const auto version = run({"version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_EQ(version.out, "ghostctl " EGB_VERSION "\neghostbusterd (not reachable)\n");
}

TEST_F(CtlBus, NoBusAtAll) {
    const auto ran = run({"list", "--address", "unix:path=/nonexistent/bus"});
    EXPECT_EQ(ran.code, 3);
    EXPECT_EQ(ran.err,
              "ghostctl: There is no message bus at unix:path=/nonexistent/bus: No such file or directory.\n"
              "Start it with: systemctl start dbus.socket; or name another one with --address\n");
}

TEST_F(CtlBus, NotAuthorised) {
    Script script;
    script.errors.emplace("Clean",
                          bus_error("org.freedesktop.DBus.Error.AccessDenied", "not authorised to clean"));
    serve(script);
    const auto ran = run({"clean", "17"});
    EXPECT_EQ(ran.code, 4);
    EXPECT_THAT(ran.err, StartsWith("ghostctl: not authorised to clean\nRun it as root (sudo)"));
}

TEST_F(CtlBus, AFilterThatTheDaemonDoesNotTake) {
    Script script;
    script.errors.emplace("ListGhosts",
                          bus_error("org.eghostbuster1.Error.BadFilter", "unknown key \"comm\""));
    serve(script);
    EXPECT_EQ(run({"list"}).code, 2);
}

TEST_F(CtlBus, AGhostThatIsNotThere) {
    Script script;
    script.errors.emplace("Hold", bus_error(no_such_ghost, "there is no ghost 99"));
    serve(script);
    EXPECT_EQ(run({"hold", "99"}).code, 5);
}

TEST_F(CtlBus, ADaemonThatDoesNotAnswerIsNotWaitedForForEver) {
    Script script;
    script.silent = "Scan";
    serve(script);
    const auto ran = run({"--timeout", "200ms", "scan"});
    EXPECT_EQ(ran.code, 3);
    EXPECT_THAT(ran.err, StartsWith("ghostctl: No answer within 200ms.\nSee why: "));
}

} // namespace

} // namespace egb::test
