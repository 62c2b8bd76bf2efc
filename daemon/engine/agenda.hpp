// SPDX-License-Identifier: Apache-2.0
// Which ghost's turn comes when. A ghost stands in it once at most.
#pragma once

#include "core/clock.hpp"
#include "core/ghost.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace egb::engine {

class Agenda {
public:
    /// Its turn comes at `at`, in place of any other time. What comes at the end of time is kept and never
    /// due.
    void set(GhostId id, Instant at);
    void erase(GhostId id);

    [[nodiscard]] bool contains(GhostId id) const { return places_.contains(id); }

    /// When its turn comes; nothing when it is not in here.
    [[nodiscard]] std::optional<Instant> when(GhostId id) const;

    /// The one that has been due for the longest; it stays until it is erased or set anew.
    [[nodiscard]] std::optional<GhostId> due(Instant now) const;

    /// When the next turn comes; nothing when none ever will.
    [[nodiscard]] std::optional<Instant> next() const;

    [[nodiscard]] std::vector<GhostId> ids() const;
    [[nodiscard]] std::size_t size() const { return places_.size(); }

private:
    using Order = std::set<std::pair<Instant, GhostId>>;

    Order order_;
    std::unordered_map<GhostId, Order::iterator> places_;
};

} // namespace egb::engine
