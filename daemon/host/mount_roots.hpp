// SPDX-License-Identifier: Apache-2.0
// The way into a mount namespace: the root of a process that lives there. Used on the loop.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <map>

namespace egb::host {

class MountRoots {
public:
    explicit MountRoots(const ProcFs& procfs) : procfs_{procfs} {}

    /// The root of that namespace. Where nobody lives in it any more, and for 0, that of the machine's own:
    /// a file that was made in a service's private view of the machine's files is still among these.
    /// `not_found` when neither can be had, `denied` where a user has made that namespace: he mounts in it
    /// what he likes.
    [[nodiscard]] Result<MountRoot> open(std::uint64_t mount_namespace);

    /// The number of the machine's own.
    [[nodiscard]] Result<std::uint64_t> machines_own();

    /// Whether its resident was still there, and with him the mounts of his namespace. The machine's own
    /// stay.
    [[nodiscard]] bool is_lived_in(const MountRoot& root) const;

private:
    struct Resident {
        ProcessIdentity process;
        std::uint64_t mount_id{}; ///< of its root
    };

    [[nodiscard]] Result<MountRoot> enter(std::uint64_t mount_namespace);
    [[nodiscard]] Result<MountRoot> known_way(std::uint64_t mount_namespace);

    const ProcFs& procfs_;
    /// By namespace. Their descriptors are not kept, for they would keep file systems from being unmounted.
    std::map<std::uint64_t, Resident> residents_;
    std::uint64_t machines_own_{};
};

} // namespace egb::host
