// SPDX-License-Identifier: Apache-2.0
// The only part of a kind that may do harm, and only through host/sys.hpp.
#pragma once

#include "core/decision.hpp"
#include "core/ghost.hpp"
#include "core/result.hpp"

#include <span>
#include <string>
#include <vector>

namespace egb {

/// What has come of an act that failed, by what kept it from being done.
[[nodiscard]] Outcome outcome_of(const Error& error);

/// Runs on the loop; everything it does must be short. Many ghosts come at once, because a look at the kernel
/// costs as much for one as for a thousand; each has its own outcome, in the same order.
class Cleaner {
public:
    virtual ~Cleaner() = default;

    /// Looks again, right before the harm: is this still the very thing that was judged?
    /// ErrorCode::not_found says that it went by itself, anything else that it must not be touched.
    [[nodiscard]] virtual Result<> confirm(const Ghost& ghost) = 0;

    /// Acts, looks a second time, and says what it saw.
    [[nodiscard]] virtual std::vector<Outcome> clean(std::span<const GhostPtr> ghosts) = 0;

    /// Puts the kind's question to ghosts that are `askable`. The answer comes later, through the tracker.
    [[nodiscard]] virtual std::vector<Outcome> ask(std::span<const GhostPtr> ghosts);

    /// Calls back what ask() has begun, as far as there is still something to call back.
    virtual void take_back(std::span<const GhostPtr> ghosts);

    /// Puts back what clean() had put into quarantine; says where it is now.
    [[nodiscard]] virtual Result<std::string> restore(GhostId id);
};

} // namespace egb
