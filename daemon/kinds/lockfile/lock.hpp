// SPDX-License-Identifier: Apache-2.0
// A lock under observation, and how it is remembered over restarts and reboots.
#pragma once

#include "bpf/lockfile.h"
#include "core/identity.hpp"
#include "core/kind_memory.hpp"
#include "host/files.hpp"
#include "kinds/lockfile/owners.hpp"
#include "kinds/lockfile/record.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace egb::lockfile {

struct Lock {
    egb_lock_key kernel{};             ///< how the kernel side knows it
    std::uint64_t stamp_ns{};          ///< the same: another one, another file
    std::uint64_t made_ns{};           ///< when; in an earlier boot by that boot's clock
    std::uint64_t creator_forked_ns{}; ///< the same
    std::uint64_t creator_ended_ns{};  ///< the same; 0 until that is known
    std::int32_t creator_status{};     ///< how it has ended then, as wait(2) tells it
    std::uint16_t way{};
    std::int32_t inner_pid{}; ///< its creator, as its own pid namespace has it
    std::uint32_t pid_namespace{};
    host::FileName name;
    host::FileIdentity id;
    std::int64_t changed_ns{}; ///< ctime when it was last looked at, in the boot in which it was made
    std::int64_t looked_ns{};  ///< ctime when it was last looked at
    std::int64_t ownerless_changed_ns{}; ///< ctime at the first look at which nobody owned it; 0 until then
    ProcessPtr creator;
    Elders elders;
    std::uint32_t lasting{};    ///< facts that do not change any more
    std::uint16_t outlived{};   ///< 1: somebody has owned it after its creator's end
    std::uint16_t let_go{};     ///< 1: as it was remembered, nobody in user space watched it afterwards
    Instant ownerless;          ///< since when; the epoch while somebody owns it
    Instant ended{};            ///< when the last of its owners did whose end was heard
    std::uint64_t touched_ns{}; ///< when its ctime was set last; 0 where the kernel side does not see all

    [[nodiscard]] Claim claim() const;

    /// From when on nobody may change it; no later than the end of the last who may have owned it.
    [[nodiscard]] Instant last_end() const;
    [[nodiscard]] std::string key() const;
};

/// By which a lock of that identity is asked for.
[[nodiscard]] std::string key_of(const FileIdentity& id);

/// Which file it is, and nothing else yet.
[[nodiscard]] LockRecord record_of(const FileIdentity& id);

/// In one line of words.
[[nodiscard]] std::string to_text(const Lock& lock);

/// Nothing when it is not what to_text() writes. A lock of another boot is one of nobody alive, and has no
/// creator but a name; so is one that was known to be such when it was written.
[[nodiscard]] std::optional<Lock> lock_from(const Memory& memory);

} // namespace egb::lockfile
