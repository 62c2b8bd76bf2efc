// SPDX-License-Identifier: Apache-2.0
// Where it is kept what people have decided: a ghost that is held is held after a crash and an upgrade, too.
#pragma once

#include "core/clock.hpp"
#include "core/decision.hpp"
#include "core/result.hpp"

#include <string>
#include <vector>

namespace egb::engine {

/// What somebody has decided about a ghost, by its kind and key; or about all of them, where those are empty.
struct Hold {
    std::string kind{};
    std::string key{};
    Action action{Action::report}; ///< report: not acted upon; ignore: not reported either
    Instant until{end_of_time};

    [[nodiscard]] bool of_all() const { return kind.empty(); }

    bool operator==(const Hold&) const = default;
};

class HoldStore {
public:
    virtual ~HoldStore() = default;

    /// In place of an earlier one. One whose time is over ends it.
    virtual void keep(const Hold& hold) = 0;

    /// Those that are not over. A failure says that nobody knows: then everything is to be left alone.
    [[nodiscard]] virtual Result<std::vector<Hold>> holds() const = 0;
};

} // namespace egb::engine
