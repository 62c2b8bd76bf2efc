// SPDX-License-Identifier: Apache-2.0
#include "engine/agenda.hpp"

#include <ranges>

namespace egb::engine {

void Agenda::set(GhostId id, Instant at) {
    erase(id);
    // Mostly it is the last: what comes later is due later.
    places_.emplace(id, order_.emplace_hint(order_.end(), at, id));
}

void Agenda::erase(GhostId id) {
    if (const auto place = places_.find(id); place != places_.end()) {
        order_.erase(place->second);
        places_.erase(place);
    }
}

std::optional<Instant> Agenda::when(GhostId id) const {
    const auto place = places_.find(id);
    return place == places_.end() ? std::nullopt : std::optional{place->second->first};
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
