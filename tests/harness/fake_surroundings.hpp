// SPDX-License-Identifier: Apache-2.0
// All fakes that a kind can be given to live on. A test names those that it turns.
#pragma once

#include "harness/fake_clock.hpp"
#include "harness/fake_fd_store.hpp"
#include "harness/fake_files.hpp"
#include "harness/fake_holder_scan.hpp"
#include "harness/fake_kind_memory.hpp"
#include "harness/fake_lineage.hpp"
#include "harness/fake_procfs.hpp"
#include "harness/fake_quarantine.hpp"
#include "harness/fake_sys.hpp"
#include "host/surroundings.hpp"

namespace egb::test {

struct FakeSurroundings {
    FakeClock clock;
    FakeProcFs proc;
    host::ProcFs procfs{proc.root()};
    FakeFdStore fd_store;
    FakeSys sys;
    FakeLineage lineage;
    FakeHolderScan holders;
    FakeFiles files;
    FakeQuarantine quarantine;
    FakeKindMemory memory;

    [[nodiscard]] host::Surroundings all() { return with(clock, procfs, fd_store, sys); }

    /// The same with some that are real.
    [[nodiscard]] host::Surroundings with(const Clock& real_clock, const host::ProcFs& real_procfs,
                                          host::FdStore& store, host::Sys& real_sys) {
        return {.clock = real_clock,
                .procfs = real_procfs,
                .fd_store = store,
                .sys = real_sys,
                .lineage = lineage,
                .holders = holders,
                .files = files,
                .quarantine = quarantine,
                .memory = memory};
    }
};

} // namespace egb::test
