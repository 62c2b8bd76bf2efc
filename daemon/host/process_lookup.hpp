// SPDX-License-Identifier: Apache-2.0
// From what an iterator program says of a process to the whole Process, each read once per batch.
#pragma once

#include "core/identity.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <map>
#include <utility>

namespace egb::host {

/// Lives for one batch; a process that ends meanwhile is simply not found.
class ProcessLookup {
public:
    explicit ProcessLookup(const ProcFs& procfs) : procfs_{procfs} {}

    /// Where /proc cannot tell (the process has just ended, the pid is another's by now, or this is not the
    /// /proc of those pids), what the kernel has said is all there is: pid and start time.
    [[nodiscard]] ProcessPtr find(std::int32_t pid, std::uint64_t start_ticks);

    /// The kernel side has nanoseconds where /proc has clock ticks.
    [[nodiscard]] static std::uint64_t ticks_of(std::uint64_t boottime_ns);
    [[nodiscard]] static std::uint64_t boottime_of(std::uint64_t ticks);

private:
    const ProcFs& procfs_;
    std::map<std::pair<std::int32_t, std::uint64_t>, ProcessPtr> known_;
};

} // namespace egb::host
