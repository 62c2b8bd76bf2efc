// SPDX-License-Identifier: Apache-2.0
// Takes a lock that nobody owns out of its place, into quarantine.
#pragma once

#include "core/cleaner.hpp"
#include "host/surroundings.hpp"
#include "kinds/lockfile/lock_book.hpp"
#include "kinds/lockfile/observer.hpp"

#include <span>
#include <vector>

namespace egb::lockfile {

class LockCleaner final : public Cleaner {
public:
    LockCleaner(const host::Surroundings& surroundings, const Observer& observer, LockBook& book)
        : surroundings_{surroundings}, observer_{observer}, book_{book} {}

    /// A fresh look at everything: the file, its owners, and whoever has it open.
    [[nodiscard]] Result<> confirm(const Ghost& ghost) override;
    [[nodiscard]] std::vector<Outcome> clean(std::span<const GhostPtr> ghosts) override;

private:
    [[nodiscard]] Outcome clean_one(const Ghost& ghost);

    host::Surroundings surroundings_;
    const Observer& observer_;
    LockBook& book_;
};

} // namespace egb::lockfile
