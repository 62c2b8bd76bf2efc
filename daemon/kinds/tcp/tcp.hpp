// SPDX-License-Identifier: Apache-2.0
// The kind `tcp`: sockets that wait for an application which has forgotten them. README.md in this folder has
// the criterion.
#pragma once

#include "core/kind.hpp"
#include "host/events.hpp"
#include "host/surroundings.hpp"

#include <memory>

namespace egb::tcp {

[[nodiscard]] const KindInfo& info();
[[nodiscard]] KindPtr make(const host::Surroundings& surroundings);

/// Its kernel side alone, not attached yet.
[[nodiscard]] std::unique_ptr<host::EventSource> kernel_events(host::FdStore& store);

} // namespace egb::tcp
