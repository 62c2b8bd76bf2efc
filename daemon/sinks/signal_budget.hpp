// SPDX-License-Identifier: Apache-2.0
// How many of the signals that could be sent are sent. Pure; the time is an argument.
#pragma once

#include "core/clock.hpp"
#include "core/incident.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace egb::sinks {

/// An incident that is to be told, and how many others it stands for too.
struct Told {
    Incident incident;
    std::uint32_t more{};
};

/// Each signal of each kind has a window of its own, which begins with the first incident after a quiet time.
class SignalBudget {
public:
    static constexpr std::uint32_t most_singles = 50;
    static constexpr Span window = std::chrono::seconds{1};

    void take(const Incident& incident, Instant now);

    /// What is to be told by now, in the order in which it came; once.
    [[nodiscard]] std::vector<Told> due(Instant now);

    /// When the next window ends that has something to tell; nothing while there is none.
    [[nodiscard]] std::optional<Instant> deadline() const;

private:
    struct Window {
        Instant end;
        std::uint32_t singles{};
        std::optional<Told> rest; ///< the last beyond the budget, and how many went before it
    };
    using Sort = std::pair<IncidentType, std::string>; ///< which signal, which kind

    void close(Window& ended);

    std::map<Sort, Window> windows_;
    std::vector<Told> due_;
};

} // namespace egb::sinks
