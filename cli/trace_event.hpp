// SPDX-License-Identifier: Apache-2.0
// A line of the process stream, as `trace` shows it. What a line does not say stays empty.
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb::cli {

struct TraceEvent {
    enum class Type : std::uint8_t { watching, exec, fork, exit, lost, other };

    Type type{Type::other};
    WallTime at;
    std::int32_t pid{};
    std::int32_t parent{};
    std::uint32_t uid{};
    std::string command;
    std::string exe;
    std::vector<std::string> args;
    bool args_cut{};
    std::string cwd;
    std::string unit;
    std::string container;
    std::uint64_t cgroup{};
    std::uint64_t start{};
    std::uint64_t pid_namespace{};
    std::uint64_t mount_namespace{};
    std::uint64_t net_namespace{};
    int status{};       ///< of an exit
    std::string signal; ///< of an exit: its name
    bool core{};
    Span lived{};
    std::uint64_t peak_rss_bytes{};
    std::uint64_t count{}; ///< of lost
    bool in_kernel{};      ///< of lost
};

/// Nothing when it is no JSON object.
[[nodiscard]] std::optional<TraceEvent> read_trace_event(std::string_view line);

[[nodiscard]] bool has_failed(const TraceEvent& event);

/// "exec"
[[nodiscard]] std::string_view word(TraceEvent::Type type);

} // namespace egb::cli
