// SPDX-License-Identifier: Apache-2.0
// The kind `lockfile`: locks that exist because a file does, and whose owners are dead. README.md has the
// reasoning.
#pragma once

#include "core/kind.hpp"
#include "host/surroundings.hpp"

namespace egb::lockfile {

[[nodiscard]] const KindInfo& info();
[[nodiscard]] KindPtr make(const host::Surroundings& surroundings);

} // namespace egb::lockfile
