// SPDX-License-Identifier: Apache-2.0
// Property maps as views. A property that an older daemon does not have keeps its default.
#pragma once

#include "model.hpp"
#include "proxies.hpp"

namespace egb::cli {

[[nodiscard]] ManagerView manager_view(const Properties& properties);
[[nodiscard]] KindView kind_view(const Properties& properties);

/// A value of any type that our interfaces have; null for others.
[[nodiscard]] Json json_of(const sdbus::Variant& value);

} // namespace egb::cli
