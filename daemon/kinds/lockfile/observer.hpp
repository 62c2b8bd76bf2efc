// SPDX-License-Identifier: Apache-2.0
// One look at one lock: the file as it is now, who owns it, who has it open, and what is written in it.
// Changes nothing. Used by the kind, and by its cleaner right before the harm.
#pragma once

#include "core/result.hpp"
#include "host/surroundings.hpp"
#include "kinds/lockfile/lock.hpp"
#include "kinds/lockfile/names.hpp"
#include "kinds/lockfile/owners.hpp"
#include "kinds/lockfile/record.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace egb::lockfile {

/// What a look has found.
struct Look {
    SeenLock seen;
    std::int64_t changed_ns{};
    Ownership ownership;
};

class Observer {
public:
    explicit Observer(const host::Surroundings& surroundings) : surroundings_{surroundings} {}

    void set_names(Names names) { names_ = std::move(names); }
    void set_most_bytes(std::uint64_t most_bytes) { most_bytes_ = most_bytes; }
    [[nodiscard]] std::uint64_t most_bytes() const { return most_bytes_; }
    [[nodiscard]] const Names& names() const { return names_; }

    /// `not_found` when it is no longer in its place, or no lock by what is known of names. Keeps in the lock
    /// since when nobody owns it.
    [[nodiscard]] Result<Look> look_at(Lock& lock) const;

    /// The same without who has it open, which takes a look at every process.
    [[nodiscard]] Result<Look> glance_at(Lock& lock) const;

    /// Whether nobody has the file open or locked, whatever its name is by now. `fd` is ours.
    [[nodiscard]] Result<> is_free(int fd) const;

    /// Whether nobody owns it.
    [[nodiscard]] Result<> is_ownerless(const Lock& lock) const;

private:
    void note_owners(Lock& lock, Look& look) const;
    static void note_end_of_creator(Lock& lock, const Ownership& ownership);
    void note_file(Lock& lock, const host::FileSight& sight, LockRecord& record) const;
    void note_bounds(const Lock& lock, const host::FileSight& sight, LockRecord& record) const;
    void note_exports(Lock& lock, const host::FileSight& sight, LockRecord& record) const;
    [[nodiscard]] bool is_changed(Lock& lock, std::int64_t changed_ns) const;
    void note_holders(const Lock& lock, LockRecord& record) const;
    void note_content(const Lock& lock, const host::FileSight& sight, LockRecord& record) const;

    host::Surroundings surroundings_;
    Names names_{Globs{}};
    std::uint64_t most_bytes_{};
};

} // namespace egb::lockfile
