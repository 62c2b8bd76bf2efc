// SPDX-License-Identifier: Apache-2.0
// What the kind `process` tells its tracker. The kernel side's own records are the lineage's (bpf/lineage.h).
#pragma once

#include "bpf/wire.h"
#include "host/events.hpp"

#include <cstdint>

namespace egb::process {

enum class RecordType : std::uint16_t {
    death = 1,  ///< somebody has died
    zombie = 2, ///< a process that is dead, and has not been waited for; held by its parent
    parent = 3, ///< how a parent of such is
    told = 4,   ///< a parent is told again of its children
};

// Of a zombie.
inline constexpr std::uint32_t dead_before_us = 1; ///< so it is so for at least as long as the record says
inline constexpr std::uint32_t is_traced = 2;
inline constexpr std::uint32_t is_inherited = 4; ///< its parent is not who has forked it

struct ZombieRecord {
    egb_header header{};
    std::uint64_t died_ns{};
    std::uint64_t start_ticks{};
    std::int32_t pid{};
    std::int32_t wait_status{};
    std::uint32_t flags{};
    char comm[20]{}; ///< with a zero behind it
};
EGB_ASSERT_SIZE(ZombieRecord, 64);

// Of a parent.
inline constexpr std::uint32_t is_stopped = 1;
inline constexpr std::uint32_t is_container_init = 2;
inline constexpr std::uint32_t is_init = 4;     ///< the machine's
inline constexpr std::uint32_t can_be_told = 8; ///< a signal of ours reaches it

struct ParentRecord {
    egb_header header{};
    std::uint64_t start_ticks{};
    std::uint64_t tasks_used{};
    std::uint64_t task_limit{}; ///< all ones when there is none
    std::int32_t pid{};
    std::uint32_t flags{};
};
EGB_ASSERT_SIZE(ParentRecord, 48);

struct ToldRecord {
    egb_header header{};
    std::uint64_t start_ticks{};
    std::int32_t pid{};
    std::uint32_t reserved{};
};
EGB_ASSERT_SIZE(ToldRecord, 32);

} // namespace egb::process
