// SPDX-License-Identifier: Apache-2.0
#include "engine/agenda.hpp"

#include <ranges>

namespace egb::engine {

void Agenda::set(GhostId id, Instant at) {
    erase(id);
    order_.emplace(at, id);
    times_.emplace(id, at);
}

void Agenda::erase(GhostId id) {
    if (const auto time = times_.find(id); time != times_.end()) {
        order_.erase({time->second, id});
        times_.erase(time);
    }
}

std::optional<Instant> Agenda::when(GhostId id) const {
    const auto time = times_.find(id);
    return time == times_.end() ? std::nullopt : std::optional{time->second};
}

std::optional<GhostId> Agenda::due(Instant now) const {
    const auto at = next();
    return at && *at <= now ? std::optional{order_.begin()->second} : std::nullopt;
}

std::optional<Instant> Agenda::next() const {
    const bool any = !order_.empty() && order_.begin()->first != end_of_time;
    return any ? std::optional{order_.begin()->first} : std::nullopt;
}

std::vector<GhostId> Agenda::ids() const {
    return order_ | std::views::values | std::ranges::to<std::vector>();
}

} // namespace egb::engine
