// SPDX-License-Identifier: Apache-2.0
// What is turned away before any of it is unpacked: methods that nobody may call, and arrays whose very size
// would keep the loop busy. Pure, but for the read position of the message, which is put back.
#pragma once

#include <sdbus-c++/Error.h>
#include <systemd/sd-bus.h>

#include <optional>

namespace egb::bus {

/// Why a method call must not reach an object; nothing when it may.
[[nodiscard]] std::optional<sdbus::Error> turn_away(sd_bus_message* call);

} // namespace egb::bus
