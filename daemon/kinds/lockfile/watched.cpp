// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/watched.hpp"

#include "kinds/lockfile/record.hpp"

namespace egb::lockfile {

bool is_of_another(const egb_lock_watched& watched, const Lock& lock) {
    return (watched.flags & EGB_LOCK_IS_REMADE) != 0 || watched.made_ns != lock.stamp_ns;
}

std::uint32_t facts_of(const std::optional<egb_lock_watched>& watched) {
    if (!watched) {
        return unwatched;
    }
    return (watched->flags & EGB_LOCK_IS_ADVISORY) != 0 ? was_advisory : 0U;
}

} // namespace egb::lockfile
