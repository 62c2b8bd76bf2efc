// SPDX-License-Identifier: Apache-2.0
// What is turned away before any of it is unpacked: methods that nobody may call, properties that only root
// may set, and arguments whose very size would keep the loop busy or come back in an error too long for the
// bus. Pure, but for the read position of the message, which is put back.
#pragma once

#include <sdbus-c++/Error.h>
#include <systemd/sd-bus.h>

#include <cstdint>
#include <optional>

namespace egb::bus {

/// Why a method call must not reach an object; nothing when it may. `uid` is the sender's, where it is known.
[[nodiscard]] std::optional<sdbus::Error> turn_away(sd_bus_message* call, std::optional<std::uint32_t> uid);

} // namespace egb::bus
