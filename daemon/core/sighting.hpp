// SPDX-License-Identifier: Apache-2.0
// What was seen, before anybody has an opinion about it.
#pragma once

#include "core/clock.hpp"
#include "core/identity.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace egb {

enum class SightingType : std::uint8_t {
    seen,        ///< a record of a resource as it is now
    gone,        ///< a record of a resource that has left the state that interests us
    held,        ///< a record of who holds a resource; `process` says who that is
    sweep_begin, ///< what follows is everything there is...
    sweep_end,   ///< ...and what was not among it is gone
    lost,        ///< events were lost: absence proves nothing until the next whole sweep
};

/// How we came to know. Proof needs two of these to agree.
enum class Source : std::uint8_t { event, sweep };

/// The record is a view of the kind's own wire layout (bpf/<kind>.h), valid during the call only. It stays in
/// that form so that 100,000 of them cost nothing on the way, and so that core knows no kind.
struct Sighting {
    SightingType type{};
    Source source{};
    Instant at;
    std::span<const std::byte> record{};
    ProcessPtr process{};
};

} // namespace egb
