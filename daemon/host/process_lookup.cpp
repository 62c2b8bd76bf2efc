// SPDX-License-Identifier: Apache-2.0
#include "host/process_lookup.hpp"

#include <unistd.h>

namespace egb::host {

namespace {

std::uint64_t nanoseconds_per_tick() {
    static const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return 1'000'000'000 / ticks_per_second;
}

} // namespace

std::uint64_t ProcessLookup::ticks_of(std::uint64_t boottime_ns) {
    return boottime_ns / nanoseconds_per_tick();
}

std::uint64_t ProcessLookup::boottime_of(std::uint64_t ticks) {
    return ticks * nanoseconds_per_tick();
}

ProcessPtr ProcessLookup::find(std::int32_t pid, std::uint64_t start_ticks) {
    const auto [known, is_new] = known_.try_emplace({pid, start_ticks});
    if (is_new) {
        auto process = procfs_.process(pid);
        if (!process || process->id.start_ticks != start_ticks) {
            process = Process{.id = {.boot_id = procfs_.boot_id(), .pid = pid, .start_ticks = start_ticks},
                              .uid = {},
                              .comm = "?",
                              .exe = {},
                              .unit = {},
                              .container = {},
                              .around = {},
                              .known = false};
        }
        known->second = std::make_shared<const Process>(std::move(*process));
    }
    return known->second;
}

} // namespace egb::host
