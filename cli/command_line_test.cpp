// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include "help.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <ranges>
#include <set>
#include <sstream>

namespace egb::cli {

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t columns = 80;

std::vector<std::string> words(const std::string& line) {
    std::istringstream stream{line};
    return {std::istream_iterator<std::string>{stream}, {}};
}

class Accepted : public ::testing::TestWithParam<const char*> {};

TEST_P(Accepted, IsRead) {
    CommandLine line{"1.2.3", columns};
    const auto action = line.parse(words(GetParam()));
    ASSERT_TRUE(action) << action.error().text;
    EXPECT_TRUE(*action);
}

INSTANTIATE_TEST_SUITE_P(
    Verbs, Accepted,
    ::testing::Values(
        "", "status", "status --json", "--json status", "list", "list -q",
        "list --kind tcp --grade proven --pid 1 --uid 0 --unit a.service --container 3f --comm "
        "java --min-age 1h",
        "list --grade=suspected", "show 1 2 #3", "explain 1", "watch", "watch --kind tcp -n 3", "trace",
        "trace -d 500 --uid 0 --comm sh --unit a.service --cgroup /a -p 1 --failed --fork",
        "trace --min-duration 2s --cwd --tree --columns time,pid,what --for 10s", "trace --count --json",
        "history", "history -n 1000 -S 2h -U now --kind tcp --type acted --verdict gone --ghost 7",
        "who-owns /a /b", "clean 1 2", "clean -sn 1", "clean -ay --kind tcp", "hold 1",
        "hold 1 --for infinity", "hold --release 1", "ignore --all --unit a.service -f 1d", "restore 1",
        "scan", "scan tcp ipc", "policy", "policy show", "policy show tcp ipc",
        "policy set tcp Clean=never Veto=", "policy set -p tcp Protect=a=b", "pause", "resume", "reload",
        "doctor", "kinds --no-legend", "version", "list --color never --timeout 5s --address unix:path=/x",
        "list -l --no-ask-password", "list --kind a --kind b"));

struct Wrong {
    const char* line;
    const char* message;
};

class Refused : public ::testing::TestWithParam<Wrong> {};

TEST_P(Refused, SaysWhatWasExpectedAndWhereToLook) {
    CommandLine line{"1.2.3", columns};
    const auto action = line.parse(words(GetParam().line));
    ASSERT_FALSE(action);
    EXPECT_EQ(action.error().code, ExitCode::usage);
    EXPECT_THAT(action.error().text, AllOf(StartsWith(GetParam().message), HasSubstr("\nTry: ghostctl")));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, Refused,
    ::testing::Values(
        Wrong{"lst", "ghostctl: there is no verb \"lst\"; did you mean list?"},
        Wrong{"frobnicate", "ghostctl: there is no verb \"frobnicate\"."},
        Wrong{"list --grad x", "ghostctl list: there is no option \"--grad\"; did you mean --grade?"},
        Wrong{"list --jsn", "ghostctl list: there is no option \"--jsn\"; did you mean --json?"},
        Wrong{"list --grade x", "ghostctl list: --grade: expected one of suspected, proven, not \"x\""},
        Wrong{"list --pid x", "ghostctl list: --pid: expected a whole number, not \"x\""},
        Wrong{"list --uid -1", "ghostctl list: --uid: expected a whole number, not \"-1\""},
        Wrong{"list --min-age 2x", "ghostctl list: --min-age: expected a time span"},
        Wrong{"list --kind", "ghostctl list: --kind needs a value"},
        Wrong{"list 7", "ghostctl list: there is no argument \"7\"."},
        Wrong{"show", "ghostctl show: ID... is missing"},
        Wrong{"show x", "ghostctl show: ID: \"x\" is no ghost's id"},
        Wrong{"show 0", "ghostctl show: ID: \"0\" is no ghost's id"},
        Wrong{"explain", "ghostctl explain: ID... is missing"},
        Wrong{"watch -n x", "ghostctl watch: --lines: expected a whole number"},
        Wrong{"trace --columns time,sigal",
              "ghostctl trace: --columns: there is no column \"sigal\"; did you mean signal?"},
        Wrong{"trace --columns zzzzzz",
              "ghostctl trace: --columns: there is no column \"zzzzzz\"; there are time, event"},
        Wrong{"trace --count --tree", "ghostctl trace: --count: has a table of its own"},
        Wrong{"trace -d soon", "ghostctl trace: --min-duration: expected a time span"},
        Wrong{"history -n 0", "ghostctl history: --lines: expected a number from 1 to 1000, not \"0\""},
        Wrong{"history -n 1001", "ghostctl history: --lines: expected a number from 1 to 1000"},
        Wrong{"history --since soon", "ghostctl history: --since: expected a time"},
        Wrong{"history --type x", "ghostctl history: --type: expected one of appeared"},
        Wrong{"history --verdict x", "ghostctl history: --verdict: expected one of cleaned"},
        Wrong{"history --ghost x", "ghostctl history: --ghost: expected a whole number"},
        Wrong{"who-owns", "ghostctl who-owns: PATH... is missing"},
        Wrong{"clean", "ghostctl clean: ID: name one or more ghosts, or --all"},
        Wrong{"clean 1 --all", "ghostctl clean: --all: stands for all ghosts"},
        Wrong{"clean 1 --kind tcp", "ghostctl clean: ID: filters choose among --all"},
        Wrong{"hold", "ghostctl hold: ID: name one or more ghosts, or --all"},
        Wrong{"hold 1 --for 2h --release", "ghostctl hold: --for excludes --release"},
        Wrong{"ignore 1 --for x", "ghostctl ignore: --for: expected a time span"},
        Wrong{"restore", "ghostctl restore: ID... is missing"},
        Wrong{"policy sett", "ghostctl policy: there is no verb \"sett\"; did you mean set?"},
        Wrong{"policy set", "ghostctl policy set: KIND NAME=VALUE... is missing"},
        Wrong{"policy set tcp", "ghostctl policy set: NAME=VALUE... is missing"},
        Wrong{"policy set tcp x", "ghostctl policy set: NAME=VALUE: expected something like Clean=never"},
        Wrong{"policy set tcp =x", "ghostctl policy set: NAME=VALUE: expected something like Clean=never"},
        Wrong{"policy set tcp A=1 A=2", "ghostctl policy set: NAME=VALUE: \"A\" is set twice"},
        Wrong{"pause now", "ghostctl pause: there is no argument \"now\"."},
        Wrong{"--timeout 0 list", "ghostctl list: --timeout: expected at least 1ms"},
        Wrong{"--color x", "ghostctl: --color: expected one of auto, always, never, not \"x\""},
        Wrong{"-x", "ghostctl: there is no option \"-x\"."}));

TEST(CommandLine, OptionsOfAllVerbsStandBeforeOrBehindThem) {
    for (const auto* text :
         {"-jql --no-legend --no-ask-password --color always --address a --timeout 5s list",
          "list -jql --no-legend --no-ask-password --color always --address a --timeout 5s"}) {
        CommandLine line{"1.2.3", columns};
        ASSERT_TRUE(line.parse(words(text)));
        EXPECT_TRUE(line.options().json);
        EXPECT_TRUE(line.options().quiet);
        EXPECT_TRUE(line.options().full);
        EXPECT_TRUE(line.options().no_legend);
        EXPECT_TRUE(line.options().no_ask_password);
        EXPECT_EQ(line.options().colour, ColourMode::always);
        EXPECT_EQ(line.options().address, "a");
        EXPECT_EQ(line.options().timeout, std::chrono::seconds{5});
    }
}

TEST(CommandLine, WaitsTwentyFiveSecondsUnlessTold) {
    CommandLine line{"1.2.3", columns};
    ASSERT_TRUE(line.parse({}));
    EXPECT_EQ(line.options().timeout, std::chrono::seconds{25});
}

TEST(CommandLine, Version) {
    CommandLine line{"1.2.3", columns};
    const auto reply = line.parse({"--version"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ExitCode::ok);
    EXPECT_EQ(reply.error().text, "ghostctl 1.2.3\n");
}

TEST(Help, NamesEveryVerbWithItsSummary) {
    CommandLine line{"1.2.3", columns};
    const auto reply = line.parse({"--help"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ExitCode::ok);
    EXPECT_THAT(reply.error().text, StartsWith("Usage: ghostctl [OPTION...] [VERB] [ARGUMENT...]\n"));
    for (const auto& verb : verbs()) {
        EXPECT_THAT(reply.error().text, HasSubstr("\n  " + std::string{verb.name} + " "));
    }
}

TEST(Help, OfAVerbHasUsageDetailsAndExamples) {
    for (const auto& verb : verbs()) {
        CommandLine line{"1.2.3", columns};
        const auto reply = line.parse({std::string{verb.name}, "--help"});
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, ExitCode::ok);
        EXPECT_THAT(reply.error().text,
                    AllOf(StartsWith("Usage: ghostctl " + std::string{verb.name}),
                          HasSubstr("\nExamples:\n  ghostctl"), HasSubstr(verb.summary.substr(0, 20))));
        EXPECT_FALSE(verb.details.empty()) << verb.name;
    }
}

TEST(Help, DescriptionsKeepToTheTerminal) {
    CommandLine line{"1.2.3", columns};
    const auto reply = line.parse({"list", "--help"});
    ASSERT_FALSE(reply);
    for (const auto row : reply.error().text | std::views::split('\n')) {
        EXPECT_LE(std::string_view{row}.size(), columns);
    }
}

TEST(Verbs, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (const auto& verb : verbs()) {
        EXPECT_TRUE(names.insert(verb.name).second) << verb.name;
    }
    EXPECT_EQ(verbs().front().name, "status");
}

} // namespace

} // namespace egb::cli
