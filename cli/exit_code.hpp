// SPDX-License-Identifier: Apache-2.0
// What ghostctl tells a script. The numbers are promised in ghostctl(1) and never change.
#pragma once

#include <cstdint>

namespace egb::cli {

enum class ExitCode : std::uint8_t {
    ok = 0,
    partly = 1,      ///< some of it failed, or doctor found a lack
    usage = 2,       ///< the command line, a filter or a value makes no sense
    unreachable = 3, ///< no bus, no daemon on it, or no answer in time
    denied = 4,      ///< not authorised
    not_found = 5,   ///< no such ghost, kind or file
    refused = 6,     ///< the daemon will not, or cannot
};

} // namespace egb::cli
