// SPDX-License-Identifier: Apache-2.0
// What a trace comes to: how many events there were, which executables were started most often, which of them
// failed, and which come in storms, started many times a second to live for a moment.
#pragma once

#include "core/clock.hpp"
#include "table.hpp"
#include "trace_event.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace egb::cli {

class TraceCount {
public:
    /// Lives no longer than this, and it counts for a storm;
    static constexpr Span short_life = std::chrono::milliseconds{100};
    /// so many of them that end within the same second are one.
    static constexpr std::uint64_t storm = 10;

    void add(const TraceEvent& event);

    struct Executable {
        std::string name;
        std::uint64_t started{};
        std::uint64_t failed{};
        std::uint64_t short_lived{};
        std::uint64_t most_a_second{}; ///< of the short-lived

        [[nodiscard]] bool is_storm() const { return most_a_second >= storm; }
    };

    /// Those that were started or failed most often, the first `most`.
    [[nodiscard]] std::vector<Executable> top(std::size_t most) const;

    struct Totals {
        std::uint64_t exec{}, fork{}, exit{}, failed{};
        std::uint64_t lost_by_reader{}, lost_in_kernel{};

        [[nodiscard]] std::uint64_t events() const { return exec + fork + exit; }
    };
    [[nodiscard]] const Totals& totals() const { return totals_; }

private:
    struct Tally {
        Executable executable;
        std::int64_t second{};
        std::uint64_t in_second{};
    };

    [[nodiscard]] Tally& tally(const TraceEvent& event);
    void add_start(const TraceEvent& event);
    void add_end(const TraceEvent& event);

    Totals totals_;
    std::map<std::string, Tally, std::less<>> executables_;
    /// What a process runs: kernels before 6.16 do not say it any more when it ends.
    std::unordered_map<std::int32_t, std::string> running_;
};

[[nodiscard]] Table count_table(const std::vector<TraceCount::Executable>& executables);

/// "12 events (6 exec, 6 exit, 1 failed) in 2s, 6 a second; none lost"
[[nodiscard]] std::string account(const TraceCount::Totals& totals, Span span);

} // namespace egb::cli
