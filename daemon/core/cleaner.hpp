// SPDX-License-Identifier: Apache-2.0
// The only part of a kind that may do harm, and only through host/sys.hpp.
#pragma once

#include "core/decision.hpp"
#include "core/ghost.hpp"
#include "core/result.hpp"

#include <string>

namespace egb {

/// Runs on the loop; everything it does must be short.
class Cleaner {
public:
    virtual ~Cleaner() = default;

    /// Looks at the kernel again, right before the harm: is this still the very thing that was judged?
    /// ErrorCode::not_found says that it went by itself, anything else that it must not be touched.
    [[nodiscard]] virtual Result<> confirm(const Ghost& ghost) = 0;

    /// Acts, looks a second time, and says what it saw.
    [[nodiscard]] virtual Outcome clean(const Ghost& ghost) = 0;

    /// Puts back what clean() had put into quarantine; says where it is now.
    [[nodiscard]] virtual Result<std::string> restore(GhostId id);
};

} // namespace egb
