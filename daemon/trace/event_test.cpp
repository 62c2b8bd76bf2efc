// SPDX-License-Identifier: Apache-2.0
#include "trace/event.hpp"

#include "harness/trace_records.hpp"
#include "host/kernel_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <string>
#include <unistd.h>

namespace egb::trace {
namespace {

using nlohmann::json;
using namespace std::string_literals;
using test::TraceRecord;

json rendered(const TraceRecord& record, WithCwd with_cwd = WithCwd::no,
              const host::CgroupNames& names = {}) {
    const auto bytes = record.bytes();
    const auto event = read_event(bytes);
    EXPECT_TRUE(event);
    const auto line = render(
        *event, {.at = WallTime{std::chrono::microseconds{42}}, .boot_id = "boot", .names = names}, with_cwd);
    EXPECT_TRUE(line.ends_with('\n'));
    return json::parse(line);
}

TEST(TraceEvent, OfAnExecHasWhatTheManualPromises) {
    const TraceRecord record{.args = "/bin/fake\0-x\0a b\0"s, .cgroup = 77};
    const auto line = rendered(record, WithCwd::no, {.unit = "a.service", .container = "c0"});
    EXPECT_EQ(line, json::parse(R"({"event":"exec","time":42,"pid":100,"ppid":1,"uid":1000,"comm":"fake",
        "exe":"/bin/fake","args":["/bin/fake","-x","a b"],"args_cut":false,"boot_id":"boot","start":123,
        "cgroup":77,"unit":"a.service","container":"c0","namespaces":{"pid":11,"mnt":12,"net":13}})"));
}

TEST(TraceEvent, OfAnExitTellsHowItEnded) {
    const auto line = rendered({.type = EGB_TRACE_EXIT, .wait_status = 3 << 8});
    EXPECT_EQ(line["event"], "exit");
    EXPECT_EQ(line["status"], 3);
    EXPECT_EQ(line["signal"], nullptr);
    EXPECT_EQ(line["core"], false);
    EXPECT_EQ(line["duration_usec"], 5'000);
    EXPECT_EQ(line["peak_rss_bytes"], 2 * ::sysconf(_SC_PAGESIZE));
    EXPECT_FALSE(line.contains("args"));
}

TEST(TraceEvent, OfAKillTellsTheSignalAndTheCore) {
    const auto killed = rendered({.type = EGB_TRACE_EXIT, .wait_status = SIGKILL});
    EXPECT_EQ(killed["signal"], "SIGKILL");
    EXPECT_EQ(killed["status"], nullptr);
    EXPECT_EQ(killed["core"], false);
    EXPECT_EQ(rendered({.type = EGB_TRACE_EXIT, .wait_status = SIGSEGV | 0x80})["core"], true);
    EXPECT_EQ(rendered({.type = EGB_TRACE_EXIT, .wait_status = 40})["signal"], "SIG40");
}

TEST(TraceEvent, OfAForkHasNeitherArgumentsNorAnEnd) {
    const auto line = rendered({.type = EGB_TRACE_FORK});
    EXPECT_EQ(line["event"], "fork");
    EXPECT_FALSE(line.contains("args"));
    EXPECT_FALSE(line.contains("status"));
}

TEST(TraceEvent, SaysWhenSomethingWasCut) {
    const auto line = rendered(
        {.args = "a\0bcd"s, .exe = "fake\0deep\0"s, .flags = EGB_TRACE_ARGS_CUT | EGB_TRACE_EXE_CUT});
    EXPECT_EQ(line["args"], json::parse(R"(["a","bcd"])"));
    EXPECT_EQ(line["args_cut"], true);
    EXPECT_EQ(line["exe"], ".../deep/fake");
}

TEST(TraceEvent, HasTheWorkingDirectoryOnlyWhereItIsAskedFor) {
    const TraceRecord record{.cwd = "home\0"s};
    EXPECT_FALSE(rendered(record).contains("cwd"));
    EXPECT_EQ(rendered(record, WithCwd::yes)["cwd"], "/home");
    EXPECT_EQ(rendered({.flags = EGB_TRACE_HAS_CWD}, WithCwd::yes)["cwd"], "/");
    EXPECT_EQ(rendered({}, WithCwd::yes)["cwd"], nullptr);
}

TEST(TraceEvent, HasNoFileWhereTheKernelDoesNotSay) {
    EXPECT_EQ(rendered({.exe = {}})["exe"], nullptr);
}

TEST(TraceEvent, KeepsEmptyArguments) {
    EXPECT_EQ(rendered({.args = "a\0\0b\0"s})["args"], json::parse(R"(["a","","b"])"));
}

TEST(TraceEvent, IsSoundWhateverAProcessCallsItself) {
    const TraceRecord record{.comm = "\xFF\"}\n\\\x1b[2Jabcd", .args = "\"\n\xC3\x28\x00"s + "\\\0"s};
    const auto line = rendered(record);
    EXPECT_EQ(line["comm"], "\\xff\"}\\x0a\\\\x1b[2Jabcd");
    EXPECT_EQ(line["args"][0], "\"\\x0a\\xc3(");
}

TEST(TraceEvent, OfARecordThatLiesAboutItsLengthIsNone) {
    auto bytes = TraceRecord{.args = "a\0"s}.bytes();
    EXPECT_TRUE(read_event(bytes));
    bytes.pop_back();
    EXPECT_FALSE(read_event(bytes));
    bytes.resize(sizeof(egb_trace_event) - 1);
    EXPECT_FALSE(read_event(bytes));
    EXPECT_FALSE(read_event(test::cgroup_record(1, "a\0"s)));
}

TEST(CgroupRecord, HasThePath) {
    const auto bytes = test::cgroup_record(9, "a.service\0system.slice\0"s);
    const auto cgroup = read_cgroup(bytes);
    ASSERT_TRUE(cgroup);
    EXPECT_EQ(cgroup->id, 9U);
    EXPECT_EQ(host::path_of_names(cgroup->names), "/system.slice/a.service");
    EXPECT_FALSE(read_cgroup(TraceRecord{}.bytes()));
}

} // namespace
} // namespace egb::trace
