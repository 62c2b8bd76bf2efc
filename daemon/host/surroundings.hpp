// SPDX-License-Identifier: Apache-2.0
// What a kind is given to live on. Everything outlives the kind.
#pragma once

#include "core/clock.hpp"
#include "core/kind_memory.hpp"
#include "core/quarantine.hpp"
#include "host/fd_store.hpp"
#include "host/files.hpp"
#include "host/holder_scan.hpp"
#include "host/lineage.hpp"
#include "host/procfs.hpp"
#include "host/sys.hpp"

namespace egb::host {

struct Surroundings {
    const Clock& clock;
    const ProcFs& procfs;
    FdStore& fd_store;
    Sys& sys;
    Lineage& lineage;
    HolderScan& holders;
    Files& files;
    Quarantine& quarantine;
    KindMemory& memory;
};

} // namespace egb::host
