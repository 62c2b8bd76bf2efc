// SPDX-License-Identifier: Apache-2.0
// Which events of processes somebody wants to see. What is asked must all be true of an event. Pure.
#pragma once

#include "core/clock.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace egb::trace {

/// A filter on its way in is no longer than this.
inline constexpr std::size_t longest_filter = 4'096;

struct Filter {
    bool exec{true};
    bool fork{};
    bool exit{true};
    Span min_duration{}; ///< only the ends of processes that lived at least so long
    std::optional<std::uint32_t> uid{};
    std::string comm{};                ///< all of it; empty: any
    std::string unit{};                ///< the name of a control group around it; empty: any
    std::string cgroup{};              ///< the path or the id of one; empty: any
    std::optional<std::int32_t> pid{}; ///< this process and all that descend from it
    bool failed{};                     ///< only ends by a signal or with a status other than 0
    bool cwd{};                        ///< the working directory is told too

    bool operator==(const Filter&) const = default;

    /// Nothing but the end of a process is asked for, whatever else is said.
    [[nodiscard]] bool only_ends() const { return failed || min_duration > Span::zero(); }
};

/// The types that are named, and no others.
[[nodiscard]] Result<> set_events(Filter& filter, std::span<const std::string> names);

/// Fails when no event could ever pass, with the reason.
[[nodiscard]] Result<> check(const Filter& filter);

/// One JSON object with the keys of Watch in dbus/org.eghostbuster1.Manager.xml. An unknown key is an error.
[[nodiscard]] Result<Filter> parse_filter(std::string_view json);

} // namespace egb::trace
