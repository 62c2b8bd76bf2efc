// SPDX-License-Identifier: Apache-2.0
// What is to be done about a ghost, what came of it, and how both are told.
#pragma once

#include "core/ghost.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace egb {

/// Per kind, by configuration: which grade may be cleaned without being asked.
enum class CleanPolicy : std::uint8_t { never, proven, suspected };

/// `ask` is an act, too: a question that a living one answers unharmed, and that ends what is dead.
enum class Action : std::uint8_t { ignore, report, ask, clean };

struct Decision {
    Action action{Action::report};
    std::string reason;

    bool operator==(const Decision&) const = default;
};

/// What a second look at the kernel says after an act. Never a guess.
enum class Verdict : std::uint8_t {
    cleaned, ///< it was there, it is gone, and it was us
    gone,    ///< it had gone by itself before we came to it
    refused, ///< it is not, or no longer, what was proven; or somebody said no. Nothing was touched
    failed,  ///< we tried, and it is still there
    asked,   ///< a question was put to it, and the answer decides
};

struct Outcome {
    Verdict verdict{Verdict::failed};
    std::string reason;

    bool operator==(const Outcome&) const = default;
};

[[nodiscard]] std::string_view to_string(CleanPolicy policy);
[[nodiscard]] std::string_view to_string(Action action);
[[nodiscard]] std::string_view to_string(Verdict verdict);
[[nodiscard]] Result<CleanPolicy> parse_clean_policy(std::string_view text);

} // namespace egb
