// SPDX-License-Identifier: Apache-2.0
// Advisory locks and leases that the kernel keeps on a file: what an existence lock does not have, and what
// somebody who lives relies on.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egb::host {

struct KernelLock {
    std::string type;   ///< FLOCK, POSIX, OFDLCK, LEASE, DELEG
    std::string access; ///< READ, WRITE
    /// Who took it. He may have died, and whoever has inherited his descriptor holds it; 0 when nobody knows.
    std::int32_t pid{};
    FileNumber file; ///< as the kernel numbers it
    bool waits{};    ///< for others that have it

    bool operator==(const KernelLock&) const = default;
};

/// "1: POSIX  ADVISORY  WRITE 4711 fd:01:123 0 EOF"
[[nodiscard]] std::optional<KernelLock> parse_kernel_lock(std::string_view line);

/// All on the file that `fd` is a descriptor of ours for, and waiting ones as well. `holders` are those who
/// have it open: a lock that is found by the descriptor of one of them names him, not who took it. The
/// kernel's list of all locks knows files by numbers that stat(2) does not have everywhere, and has those of
/// which no descriptor is left, as of a mapped file; it is searched too, and where numbers may differ, rather
/// too many are found.
[[nodiscard]] Result<std::vector<KernelLock>> locks_on(const ProcFs& procfs, int fd,
                                                       std::span<const Holder> holders);

/// The same for whatever file there is, since no file system is asked: one of a server that does not answer
/// would keep us. Where numbers differ, those who wait and those without a descriptor are not among them.
[[nodiscard]] Result<std::vector<KernelLock>> locks_by_number(const ProcFs& procfs, int fd,
                                                              std::span<const Holder> holders);

} // namespace egb::host
