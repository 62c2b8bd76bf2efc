// SPDX-License-Identifier: Apache-2.0
#include "host/process_lookup.hpp"

#include "harness/fake_procfs.hpp"

#include <gtest/gtest.h>

namespace egb::host {

namespace {

using test::FakeProcFs;

TEST(ProcessLookup, KnowsWhatProcKnows) {
    const FakeProcFs tree;
    tree.add({.pid = 7, .start_ticks = 4711, .comm = "nginx"});
    const ProcFs procfs{tree.root()};
    ProcessLookup lookup{procfs};
    const auto process = lookup.find(7, 4711);
    EXPECT_TRUE(process->known);
    EXPECT_EQ(process->comm, "nginx");
    EXPECT_EQ(lookup.find(7, 4711), process) << "one Process for all that it holds";
}

TEST(ProcessLookup, SaysWhenAProcessCannotBeKnown) {
    const FakeProcFs tree;
    tree.add({.pid = 7, .start_ticks = 4711, .comm = "nginx"});
    const ProcFs procfs{tree.root()};
    ProcessLookup lookup{procfs};
    for (const auto& [pid, ticks] : {std::pair{7, 12U}, std::pair{8, 4711U}}) {
        const auto process = lookup.find(pid, ticks);
        EXPECT_FALSE(process->known);
        EXPECT_EQ(process->id, (ProcessIdentity{std::string{FakeProcFs::boot_id}, pid, ticks}));
        EXPECT_EQ(process->unit, "");
    }
}

} // namespace

} // namespace egb::host
