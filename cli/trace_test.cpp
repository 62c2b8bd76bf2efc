// SPDX-License-Identifier: Apache-2.0
// What `trace` makes of the lines of a stream: rows, trees, sums.
#include "trace_columns.hpp"
#include "trace_count.hpp"
#include "trace_event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

namespace egb::cli {

namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Type = TraceEvent::Type;

TraceEvent event(Type type, std::int32_t pid, std::int32_t parent = 1) {
    TraceEvent event;
    event.type = type;
    event.at = WallTime{1'700'000'000s};
    event.pid = pid;
    event.parent = parent;
    event.command = "sh";
    event.exe = "/bin/sh";
    return event;
}

TraceEvent ended(std::int32_t pid, int status, Span lived = 1s) {
    auto exit = event(Type::exit, pid);
    exit.status = status;
    exit.lived = lived;
    return exit;
}

class TraceCli : public ::testing::Test {
protected:
    static void SetUpTestSuite() { ::setenv("TZ", "UTC", 1); }

    static std::string row(const TraceEvent& event, const std::string& columns,
                           std::optional<std::size_t> width = std::nullopt) {
        return TraceTable{*read_trace_columns(columns), {.columns = width}, Shape::flat}.row(event);
    }
};

TEST_F(TraceCli, ReadsALineOfTheStream) {
    const auto read = read_trace_event(
        R"({"event":"exit","time":42,"pid":7,"ppid":1,"uid":4294967295,"comm":"sh","exe":null,"status":null,)"
        R"("signal":"SIGSEGV","core":true,"duration_usec":1500,"peak_rss_bytes":4096,"boot_id":"b","start":5,)"
        R"("cgroup":9,"unit":"a.service","container":null,"namespaces":{"pid":1,"mnt":2,"net":3},"later":[1]})");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->type, Type::exit);
    EXPECT_EQ(read->at, WallTime{42us});
    EXPECT_EQ(read->uid, 4'294'967'295U);
    EXPECT_EQ(read->exe, "");
    EXPECT_EQ(read->signal, "SIGSEGV");
    EXPECT_TRUE(read->core);
    EXPECT_EQ(read->lived, 1500us);
    EXPECT_EQ(read->unit, "a.service");
    EXPECT_EQ(read->net_namespace, 3U);
    EXPECT_TRUE(has_failed(*read));
}

TEST_F(TraceCli, IsNotUpsetByALineThatItDoesNotExpect) {
    EXPECT_FALSE(read_trace_event("nonsense"));
    EXPECT_FALSE(read_trace_event("[]"));
    const auto odd = read_trace_event(R"({"event":"later","pid":"x","args":7,"namespaces":[],"comm":null})");
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->type, Type::other);
    EXPECT_EQ(odd->pid, 0);
}

TEST_F(TraceCli, ShowsAnExecWithItsArgumentsAndAnExitWithItsEnd) {
    auto exec = event(Type::exec, 7);
    exec.args = {"sh", "-c", "exit 3"};
    EXPECT_EQ(row(exec, "time,event,comm,pid,ppid,what"),
              "22:13:20 exec  sh                    7       1 /bin/sh -c exit 3\n");
    exec.args_cut = true;
    EXPECT_THAT(row(exec, "what"), EndsWith("exit 3 ...\n"));
    EXPECT_THAT(row(ended(7, 3), "what"), EndsWith("3 after 1s\n"));
    auto killed = ended(7, 0, 5ms);
    killed.signal = "SIGSEGV";
    EXPECT_THAT(row(killed, "what"), EndsWith("SIGSEGV after 5ms\n"));
    killed.core = true;
    EXPECT_THAT(row(killed, "what"), EndsWith("SIGSEGV (core) after 5ms\n"));
}

TEST_F(TraceCli, ShowsTheColumnsThatAreAskedForInTheirOrder) {
    EXPECT_EQ(row(ended(7, 3), "status,pid"), "     3       7\n");
    EXPECT_EQ(row(event(Type::exec, 7), "status,signal"), "     - -\n");
    for (const auto& column : trace_columns()) {
        EXPECT_TRUE(read_trace_columns(column.name)) << column.name;
        EXPECT_FALSE(row(event(Type::exec, 7), std::string{column.name}).empty());
    }
}

TEST_F(TraceCli, NamesTheColumnThatMayHaveBeenMeant) {
    const auto wrong = read_trace_columns("pid,durtion");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message, "there is no column \"durtion\"; did you mean duration?");
    EXPECT_FALSE(read_trace_columns(""));
}

TEST_F(TraceCli, FitsTheTerminal) {
    auto exec = event(Type::exec, 7);
    exec.args = {"sh", std::string(200, 'x')};
    EXPECT_EQ(row(exec, "pid,what", 40).size(), 40U + 1 + 2) << "an ellipsis is one column and three bytes";
    EXPECT_GT(row(exec, "pid,what").size(), 200U);
}

TEST_F(TraceCli, LetsNoProcessSpeakToTheTerminal) {
    auto exec = event(Type::exec, 7);
    exec.command = "\x1b[2J";
    exec.args = {"sh", "a\nb"};
    const auto text = row(exec, "comm,what");
    EXPECT_THAT(text, StartsWith("\\x1b[2J"));
    EXPECT_THAT(text, HasSubstr("a\\x0ab"));
}

TEST_F(TraceCli, IndentsByParentage) {
    TraceTable table{*read_trace_columns("comm"), {}, Shape::tree};
    EXPECT_THAT(table.row(event(Type::exec, 10, 1)), StartsWith("sh"));
    EXPECT_THAT(table.row(event(Type::fork, 11, 10)), StartsWith("  sh"));
    EXPECT_THAT(table.row(event(Type::exec, 11, 10)), StartsWith("  sh"));
    EXPECT_THAT(table.row(event(Type::fork, 12, 11)), StartsWith("    sh"));
    EXPECT_THAT(table.row(event(Type::exit, 12, 11)), StartsWith("    sh"));
    EXPECT_THAT(table.row(event(Type::exec, 12, 1)), StartsWith("sh")) << "the pid is another's by now";
}

TEST_F(TraceCli, CountsStartsFailuresAndStorms) {
    TraceCount count;
    for (std::int32_t pid = 1; pid <= 12; ++pid) {
        count.add(event(Type::exec, pid));
        count.add(ended(pid, pid == 1 ? 1 : 0, 5ms));
    }
    auto other = event(Type::exec, 100);
    other.exe = "/bin/other";
    count.add(other);
    auto end = ended(100, 0);
    end.exe = "";
    count.add(end);

    const auto top = count.top(10);
    ASSERT_EQ(top.size(), 2U);
    EXPECT_EQ(top[0].name, "/bin/sh");
    EXPECT_EQ(top[0].started, 12U);
    EXPECT_EQ(top[0].failed, 1U);
    EXPECT_EQ(top[0].short_lived, 12U);
    EXPECT_EQ(top[0].most_a_second, 12U);
    EXPECT_TRUE(top[0].is_storm());
    EXPECT_EQ(top[1].name, "/bin/other");
    EXPECT_EQ(top[1].short_lived, 0U);
    EXPECT_FALSE(top[1].is_storm());
    EXPECT_EQ(count.top(1).size(), 1U);
}

TEST_F(TraceCli, SeesNoStormInWhatIsSpreadOverTime) {
    TraceCount count;
    for (int second = 0; second < 30; ++second) {
        auto exit = ended(second + 1, 0, 5ms);
        exit.at += std::chrono::seconds{second / 5};
        auto start = exit;
        start.type = Type::exec;
        count.add(start);
        count.add(exit);
    }
    EXPECT_EQ(count.top(1).at(0).most_a_second, 5U);
    EXPECT_FALSE(count.top(1).at(0).is_storm());
}

TEST_F(TraceCli, AccountsForWhatWasLost) {
    TraceCount count;
    count.add(event(Type::exec, 1));
    count.add(ended(1, 1));
    EXPECT_EQ(account(count.totals(), 2s),
              "2 events (1 exec, 1 exit, 1 failed) in 2s, 1.0 a second; none lost.");
    auto lost = event(Type::lost, 0);
    lost.count = 3;
    count.add(lost);
    lost.in_kernel = true;
    count.add(lost);
    EXPECT_THAT(account(count.totals(), 2s),
                EndsWith("; 3 lost because this reader was slow, 3 in the kernel."));
}

} // namespace

} // namespace egb::cli
