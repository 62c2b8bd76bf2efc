// SPDX-License-Identifier: Apache-2.0
// What follows for a lock from what the kernel side knows of its file. Pure.
#pragma once

#include "bpf/lockfile.h"
#include "kinds/lockfile/lock.hpp"

#include <cstdint>
#include <optional>

namespace egb::lockfile {

/// Whether what the kernel side watches in its place is another file.
[[nodiscard]] bool is_of_another(const egb_lock_watched& watched, const Lock& lock);

/// What follows for good; nothing: the kernel side does not watch it.
[[nodiscard]] std::uint32_t facts_of(const std::optional<egb_lock_watched>& watched);

} // namespace egb::lockfile
