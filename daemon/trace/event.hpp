// SPDX-License-Identifier: Apache-2.0
// An event as the kernel side has sent it, cut into its parts, and as one line of JSON. Pure.
#pragma once

#include "bpf/trace.h"
#include "core/clock.hpp"
#include "host/cgroup_names.hpp"
#include "host/events.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb::trace {

/// Views into the record that it was read from.
struct Event {
    egb_trace_event head{};
    std::string_view args; ///< each with its NUL, except perhaps the last
    std::string_view exe;  ///< names along the path, the innermost first, each with its NUL
    std::string_view cwd;
};

/// The names along the path of a control group, in the same way.
struct CgroupPath {
    std::uint64_t id{};
    std::string_view names;
};

/// Nothing when it is none, or does not hold what it says.
[[nodiscard]] std::optional<Event> read_event(host::EventSource::Record record);
[[nodiscard]] std::optional<CgroupPath> read_cgroup(host::EventSource::Record record);

/// What wait(2) says of an end.
struct End {
    std::optional<int> status; ///< nothing when it was a signal
    std::string signal;        ///< "SIGSEGV"; empty when there was none
    bool core{};
};
[[nodiscard]] End end_of(std::int32_t wait_status);

/// What the event does not say itself.
struct Setting {
    WallTime at;
    std::string_view boot_id;
    const host::CgroupNames& names; ///< of its control group
};

enum class WithCwd : std::uint8_t { no, yes };

/// With its line end.
[[nodiscard]] std::string render(const Event& event, const Setting& setting, WithCwd with_cwd);

} // namespace egb::trace
