// SPDX-License-Identifier: Apache-2.0
// The kind `tcp`: sockets that wait for an application which has forgotten them. README.md in this folder has
// the criterion.
#pragma once

#include "core/kind.hpp"
#include "host/surroundings.hpp"

namespace egb::tcp {

[[nodiscard]] const KindInfo& info();
[[nodiscard]] KindPtr make(const host::Surroundings& surroundings);

} // namespace egb::tcp
