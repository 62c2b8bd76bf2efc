// SPDX-License-Identifier: Apache-2.0
// The kind `process`: children that have died, and that their parent does not wait for. README.md beside this
// file has the reasoning.
#pragma once

#include "core/kind.hpp"
#include "host/surroundings.hpp"

namespace egb::process {

[[nodiscard]] const KindInfo& info();

[[nodiscard]] KindPtr make(const host::Surroundings& surroundings);

} // namespace egb::process
