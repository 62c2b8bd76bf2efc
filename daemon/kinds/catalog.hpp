// SPDX-License-Identifier: Apache-2.0
// The kinds of this build, in one table. A new kind adds one line to catalog.cpp.
#pragma once

#include "core/kind.hpp"
#include "host/surroundings.hpp"

#include <span>

namespace egb::kinds {

struct CatalogEntry {
    const KindInfo& info;
    KindPtr (*make)(const host::Surroundings& surroundings);
};

[[nodiscard]] std::span<const CatalogEntry> catalog();

} // namespace egb::kinds
