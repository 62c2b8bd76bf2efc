// SPDX-License-Identifier: Apache-2.0
// Whose a file is. That a process has it open is the least of it: the kernel keeps locks on files, and a kind
// may know that a file is a lock by being there, who made it, and who of those is left.
#pragma once

#include "core/clock.hpp"
#include "core/evidence.hpp"
#include "core/ghost.hpp"
#include "core/identity.hpp"
#include "core/kind_info.hpp"
#include "core/quarantine.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb {

enum class OwnerVerdict : std::uint8_t {
    owned,
    ownerless, ///< all who can have owned it are dead, for certain
    unknown,
};

enum class ClaimantRole : std::uint8_t {
    creator,
    heir,  ///< forked by another of them, since
    elder, ///< has started the creator, and may have had it made
};

struct Claimant {
    ProcessPtr process;
    ClaimantRole role{ClaimantRole::creator};
    bool lives{};
    std::string end; ///< "killed by SIGKILL"; empty while it lives, and when nobody knows
};

/// What a kind knows of one file.
struct OwnerReport {
    const KindInfo* kind{};
    std::string key;     ///< that of the ghost it is or may become
    std::string summary; ///< "a lock, created exclusively by open"
    OwnerVerdict verdict{OwnerVerdict::unknown};
    std::optional<WallTime> since; ///< when it became that
    std::vector<Claimant> claimants;
    std::size_t unnamed{}; ///< owners beyond those
    std::vector<Evidence> evidence;
    GhostId ghost{}; ///< 0 while it is none; kinds leave that to whoever asks them
};

/// A file that somebody asks about.
struct AskedFile {
    FileIdentity id;
    FileType type{FileType::other};
    std::string name{};                  ///< the last part of a path to it; empty when it has none any more
    bool is_locked{};                    ///< by flock or fcntl
    std::vector<std::int32_t> holders{}; ///< the pids of those who have it open
};

/// Why a kind knows nothing of a file that might be one of its own.
struct Disclaimer {
    const KindInfo* kind{};
    std::string_view reason; ///< in a word
    std::string text;
};

/// A lock or a lease that the kernel keeps on a file.
struct AdvisoryLock {
    std::string type;   ///< FLOCK, POSIX, OFDLCK, LEASE, DELEG
    std::string access; ///< READ, WRITE
    ProcessPtr holder;  ///< nullptr when nobody knows
    bool waits{};       ///< for others that have it
};

/// All that is known.
struct FileOwners {
    std::vector<Holder> holders;
    std::vector<AdvisoryLock> locks;
    std::vector<OwnerReport> claims{};
    std::vector<Disclaimer> unclaimed{};
};

[[nodiscard]] std::string_view to_string(OwnerVerdict verdict);
[[nodiscard]] std::string_view to_string(ClaimantRole role);

} // namespace egb
