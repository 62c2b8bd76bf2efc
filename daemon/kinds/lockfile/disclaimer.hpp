// SPDX-License-Identifier: Apache-2.0
// Why a file that is asked about is not among the locks that are known. Pure.
#pragma once

#include "core/clock.hpp"
#include "core/ownership.hpp"
#include "kinds/lockfile/names.hpp"

#include <functional>
#include <optional>

namespace egb::lockfile {

struct Circumstances {
    const Names& names;
    bool is_seen_there{}; ///< what is made on that file system, by the mechanism in use
    /// Whether nobody has it open who lives in a mount namespace of a user's own: takes a look at each of
    /// them.
    std::function<bool()> is_followed;
    WallTime started; ///< when the daemon was
};

/// Nothing of what can be no lock at all, such as a socket.
[[nodiscard]] std::optional<Disclaimer> disclaimer_of(const AskedFile& file,
                                                      const Circumstances& circumstances);

} // namespace egb::lockfile
