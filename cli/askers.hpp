// SPDX-License-Identifier: Apache-2.0
// Whoever asks whose a file is has it open himself meanwhile, and is no answer.
#pragma once

#include "model.hpp"

#include <cstdint>
#include <optional>

namespace egb::cli {

/// What the bus says of itself; 0 and nothing when it does not.
struct BusProcess {
    std::uint32_t pid{}; ///< as its own pid namespace has it; with dbus-broker, that of who has started it
    std::optional<std::uint32_t> uid{};
};

/// Those whose descriptors are there because we ask.
struct Askers {
    std::optional<std::int32_t> us; ///< as the machine has our pid
    BusProcess bus;
    int asked{-1}; ///< our descriptor for the file
};

[[nodiscard]] bool has_our_name(const Json& holder);

/// We hold the file ourselves while we ask about it, and the bus holds what it passes on until it has done
/// so: `kill $(ghostctl who-owns -q FILE)` must not end it.
[[nodiscard]] Json without_those_who_ask(Json owners, const Askers& askers);

} // namespace egb::cli
