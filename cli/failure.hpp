// SPDX-License-Identifier: Apache-2.0
// What went wrong, for a person and for a script: a sentence, the next step, and an exit code.
#pragma once

#include "exit_code.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace egb::cli {

struct Failure {
    ExitCode code{ExitCode::partly};
    std::string message;
    std::string hint; ///< what to do now; empty when there is nothing to suggest

    bool operator==(const Failure&) const = default;
};

/// What a call to the daemon gives.
template <typename T = void>
using Answer = std::expected<T, Failure>;

/// What an error from the bus means to us.
[[nodiscard]] Failure failure_of(std::string_view error_name, std::string_view message);

/// The daemon is not on the bus.
[[nodiscard]] Failure not_running();

/// There is no bus where we looked for one.
[[nodiscard]] Failure no_bus(std::string_view address, std::string_view reason);

} // namespace egb::cli
