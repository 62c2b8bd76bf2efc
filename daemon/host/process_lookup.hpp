// SPDX-License-Identifier: Apache-2.0
// From what an iterator program says of a process to the whole Process, each read once per batch.
#pragma once

#include "core/identity.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <map>

namespace egb::host {

/// Lives for one batch; a process that ends meanwhile is simply not found.
class ProcessLookup {
public:
    explicit ProcessLookup(const ProcFs& procfs) : procfs_{procfs} {}

    /// nullptr when the process is gone, or when the pid belongs to another one by now.
    [[nodiscard]] ProcessPtr find(std::int32_t pid, std::uint64_t start_boottime_ns);

private:
    const ProcFs& procfs_;
    std::map<std::int32_t, ProcessPtr> known_;
};

} // namespace egb::host
