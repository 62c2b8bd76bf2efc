// SPDX-License-Identifier: Apache-2.0
// From sightings to ghosts. A tracker is pure: the same sightings at the same times give the same ghosts, on
// any machine, which is what makes a recording of them a bug report.
#pragma once

#include "core/clock.hpp"
#include "core/ghost.hpp"
#include "core/sighting.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb {

struct Vanished {
    std::string key;
    std::string reason;
    bool by_question{}; ///< it ended because it was asked: that was us
};

/// What a tracker has come to think since it was last asked. A key may be in both: then the ghost is what
/// stands in the place of what has vanished.
struct Changes {
    std::vector<Ghost> ghosts; ///< new ones, and those whose verdict changed
    std::vector<Vanished> vanished;

    [[nodiscard]] bool empty() const { return ghosts.empty() && vanished.empty(); }
};

class Tracker {
public:
    virtual ~Tracker() = default;

    virtual void observe(const Sighting& sighting) = 0;

    /// Everything that is due at `now`.
    [[nodiscard]] virtual Changes tick(Instant now) = 0;

    /// When the next thing will be due; nothing while there is nothing to wait for.
    [[nodiscard]] virtual std::optional<Instant> deadline() const = 0;

    /// Resources under observation, ghosts or not yet.
    [[nodiscard]] virtual std::size_t tracked() const = 0;

    /// The kind's own facts about one ghost, as they are now; empty when it is no longer there.
    [[nodiscard]] virtual Facts facts(std::string_view key) const = 0;

    [[nodiscard]] Fields describe(std::string_view key) const { return facts(key)(); }
};

} // namespace egb
