// SPDX-License-Identifier: Apache-2.0
// Takes a lock that nobody owns out of its place, into quarantine.
#pragma once

#include "core/cleaner.hpp"
#include "host/surroundings.hpp"
#include "kinds/lockfile/lock_book.hpp"
#include "kinds/lockfile/observer.hpp"

#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace egb::lockfile {

class LockCleaner final : public Cleaner {
public:
    /// What the kernel side knows of a lock at this moment; nothing when it does not watch it.
    using AskKernel = std::function<std::optional<egb_lock_watched>(const Lock&)>;

    LockCleaner(const host::Surroundings& surroundings, const Observer& observer, LockBook& book,
                AskKernel ask_kernel)
        : surroundings_{surroundings}, observer_{observer}, book_{book}, ask_kernel_{std::move(ask_kernel)} {}

    /// A fresh look at everything: the file, its owners, whoever has it open, and what the kernel side has
    /// seen since it was judged, be it told or not.
    [[nodiscard]] Result<> confirm(const Ghost& ghost) override;
    [[nodiscard]] std::vector<Outcome> clean(std::span<const GhostPtr> ghosts) override;

private:
    [[nodiscard]] Outcome clean_one(const Ghost& ghost);
    [[nodiscard]] Result<> is_watched_as_judged(const Lock& lock) const;

    host::Surroundings surroundings_;
    const Observer& observer_;
    LockBook& book_;
    AskKernel ask_kernel_;
};

} // namespace egb::lockfile
