// SPDX-License-Identifier: Apache-2.0
// What the kind `lockfile` tells its tracker: a lock as it was when it was last looked at. The kernel side's
// own records are in bpf/lockfile.h.
#pragma once

#include "bpf/lockfile.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egb::lockfile {

enum class RecordType : std::uint16_t {
    lock = 1, ///< with its path behind it
    gone = 2, ///< it is no longer in its place; the same record
};

// What was found out about a lock; all but the first four speak for leaving it alone.
inline constexpr std::uint32_t creator_killed = 1U << 0;
inline constexpr std::uint32_t creator_dumped_core = 1U << 1;
inline constexpr std::uint32_t names_creator = 1U << 2; ///< its content is the pid of who made it
inline constexpr std::uint32_t earlier_boot = 1U << 3;
inline constexpr std::uint32_t creator_exited = 1U << 4; ///< and nobody is left who it can have been made for
inline constexpr std::uint32_t owners_unknown = 1U << 5;
inline constexpr std::uint32_t unwatched = 1U << 6; ///< for a time nobody has looked what was done to it
inline constexpr std::uint32_t is_held = 1U << 7;
inline constexpr std::uint32_t holders_unknown = 1U << 8;
inline constexpr std::uint32_t is_locked = 1U << 9;     ///< the kernel holds an advisory lock on it
inline constexpr std::uint32_t was_advisory = 1U << 10; ///< somebody has taken an advisory lock on it, once
inline constexpr std::uint32_t names_living = 1U << 11;
inline constexpr std::uint32_t names_elsewhere = 1U << 12; ///< a pid of a namespace that we cannot look into
inline constexpr std::uint32_t has_other_names = 1U << 13;
inline constexpr std::uint32_t is_remote = 1U << 14; ///< not a file system of this machine alone
inline constexpr std::uint32_t is_mount_point = 1U << 15;
inline constexpr std::uint32_t is_not_empty = 1U << 16;
inline constexpr std::uint32_t is_too_large = 1U << 17;
inline constexpr std::uint32_t changed_since = 1U << 18; ///< since its last owner died
inline constexpr std::uint32_t is_protected = 1U << 19;
inline constexpr std::uint32_t is_ageless = 1U << 20;     ///< its file system keeps no birth times
inline constexpr std::uint32_t is_anothers = 1U << 21;    ///< a link or a renamed file of another user's
inline constexpr std::uint32_t is_unreachable = 1U << 22; ///< we may not look at it now
inline constexpr std::uint32_t holds_data = 1U << 23;     ///< it has content that does not name its creator
inline constexpr std::uint32_t was_renamed = 1U << 24;
inline constexpr std::uint32_t made_by_fork =
    1U << 26; ///< by a fork of its parent's program; says nothing by itself
inline constexpr std::uint32_t parent_goes_on = 1U << 28;   ///< with the program that its creator ran
inline constexpr std::uint32_t heir_exited = 1U << 27;      ///< the last who had inherited it has left it
inline constexpr std::uint32_t made_for_others = 1U << 25;  ///< by a program that copies files or serves them
inline constexpr std::uint32_t is_out_of_bounds = 1U << 29; ///< of Only=; says nothing of what it is
inline constexpr std::uint32_t exclusive_unseen = 1U
                                                  << 30; ///< whether a lock that was there had been respected
inline constexpr std::uint32_t is_exported = 1U << 31;   ///< to other machines

struct LockRecord {
    egb_header header{}; ///< size is that of the whole, with the path
    std::uint64_t device{};
    std::uint64_t inode{};
    std::int64_t born_ns{};       ///< since 1970
    std::uint64_t made_ns{};      ///< CLOCK_MONOTONIC; 0 in an earlier boot
    std::uint64_t ownerless_ns{}; ///< the same: since when nobody owns it; 0 while somebody does
    std::uint64_t size{};
    std::uint32_t facts{};
    std::int32_t wait_status{}; ///< of who made it, once that is known
    std::uint32_t holders{};
    std::int32_t named_pid{}; ///< by its content; 0 for none
    std::uint32_t mount_namespace{};
    std::uint16_t way{}; ///< EGB_LOCK_BY_...
    std::uint16_t path_length{};
};
EGB_ASSERT_SIZE(LockRecord, 88);

/// A record with its path.
struct SeenLock {
    LockRecord record{};
    std::string path;

    bool operator==(const SeenLock& other) const {
        return path == other.path && std::memcmp(&record, &other.record, sizeof(record)) == 0;
    }
};

/// "lock:8388609/123@1700000000000000000", unique for ever: no inode is born twice at one time.
[[nodiscard]] std::string key_of(const LockRecord& record);

[[nodiscard]] std::vector<std::byte> bytes_of(const SeenLock& lock, RecordType type);

/// Nothing when these bytes are no such record.
[[nodiscard]] std::optional<SeenLock> read_lock(std::span<const std::byte> bytes);

/// "created exclusively by open", as a person would say it.
[[nodiscard]] std::string_view way_in_words(std::uint16_t way);

} // namespace egb::lockfile
