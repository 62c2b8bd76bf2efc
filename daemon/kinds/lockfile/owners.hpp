// SPDX-License-Identifier: Apache-2.0
// Who owns a lock: whoever made it and all that he has forked since; and when he has left it by exiting, as
// `touch x.lock` does in a script, whoever it can have been made for.
#pragma once

#include "core/identity.hpp"
#include "host/lineage.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace egb::lockfile {

/// Who had the creator forked, and lived when the lock was made: the nearest first, and the leader of the
/// creator's session last, if he is not among the others. No service manager, and not the machine's init,
/// which own nothing; beyond that of a container nobody is.
struct Elders {
    std::vector<ProcessIdentity> line{};
    std::uint16_t gap{}; ///< so many, the creator among them, of whom it is known that nobody is missing
                         ///< between them; 0: of all, and nobody comes after them

    bool operator==(const Elders&) const = default;
};

struct Claim {
    ProcessIdentity creator;
    Instant since;           ///< when it was made
    Instant creator_since{}; ///< when its creator was forked
    Elders elders{};
    bool is_shared{}; ///< its creator ran the program of its parent, as a subshell or a pool's worker does
    std::optional<host::Death> end{}; ///< of its creator, as it was known before

    bool operator==(const Claim&) const = default;
};

/// One whom the search for owners has come to.
struct Met {
    ProcessIdentity process;
    Result<std::optional<host::Death>> death; ///< nothing while it lives
    std::vector<ProcessIdentity> heirs{}; ///< who live; nobody has asked for those of one who lives himself
};

struct Ownership {
    enum class State : std::uint8_t { owned, ownerless, unknown };

    State state{State::unknown};
    std::vector<ProcessIdentity> living{}; ///< owners, when there are some
    std::optional<host::Death> death{};    ///< of the creator, where that is known
    bool has_ended{};                      ///< the creator; where it is not known how, without heirs
    bool parent_lives{};                   ///< and runs the program that the creator ran
    std::vector<Met> met{};                ///< the creator first, then the elders that it was left to
};

[[nodiscard]] Ownership ownership_of(const Claim& claim, host::Lineage& lineage);

/// What the kernel side has told.
struct Making {
    ProcessIdentity creator;
    ProcessIdentity parent; ///< of the creator, when the lock was made
    Instant at;
};

[[nodiscard]] Elders elders_of(const Making& making, host::Lineage& lineage, const host::ProcFs& procfs);

} // namespace egb::lockfile
