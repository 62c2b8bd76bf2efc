// SPDX-License-Identifier: Apache-2.0
// Records of the process monitor, as its kernel side sends them.
#pragma once

#include "bpf/trace.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace egb::test {

/// An event that a test makes: members that it does not name are those of some process.
struct TraceRecord {
    std::uint16_t type{EGB_TRACE_EXEC};
    std::uint64_t filters{1};
    std::uint64_t time_ns{3'600'000'000'000};
    std::int32_t pid{100};
    std::string comm{"fake"};
    std::string args{};                ///< each with its NUL
    std::string exe{"fake\0bin\0", 9}; ///< innermost first, each with its NUL; empty: none
    std::string cwd{};
    std::int32_t wait_status{};
    std::uint64_t cgroup{};
    std::uint16_t flags{};

    [[nodiscard]] std::vector<std::byte> bytes() const;
};

[[nodiscard]] std::vector<std::byte> cgroup_record(std::uint64_t id, const std::string& names);

} // namespace egb::test
