// SPDX-License-Identifier: Apache-2.0
#include "host/mount_roots.hpp"

#include <limits>
#include <utility>

namespace egb::host {

namespace {

/// A process may have changed its root to some mount of its namespace. Whoever has them all sees the most.
std::size_t view_of(const MountRoot& root) {
    return root.mounts().size();
}

} // namespace

Result<MountRoot> MountRoots::open(std::uint64_t mount_namespace) {
    if (mount_namespace != 0) {
        auto root = enter(mount_namespace);
        if (root || root.error().code != ErrorCode::not_found) {
            return root;
        }
    }
    return machines_own().and_then([this](std::uint64_t own) {
        return enter(own);
    });
}

bool MountRoots::is_lived_in(const MountRoot& root) const {
    return root.mount_namespace == machines_own_ ||
           procfs_.mount_namespace(root.resident.pid) == root.mount_namespace;
}

Result<MountRoot> MountRoots::known_way(std::uint64_t mount_namespace) {
    const auto known = residents_.find(mount_namespace);
    if (known == residents_.end()) {
        return fail(ErrorCode::not_found, "nobody is known to live in mount namespace {}", mount_namespace);
    }
    auto root = procfs_.mount_root(known->second.process.pid);
    if (root && root->resident == known->second.process && root->mount_namespace == mount_namespace &&
        root->mount_id == known->second.mount_id && root->is_mount) {
        return root;
    }
    residents_.erase(known);
    return fail(ErrorCode::not_found, "who lived in mount namespace {} does no longer", mount_namespace);
}

Result<MountRoot> MountRoots::enter(std::uint64_t mount_namespace) {
    if (auto known = known_way(mount_namespace)) {
        return known;
    }
    Result<MountRoot> best =
        fail(ErrorCode::not_found, "nobody lives in mount namespace {}", mount_namespace);
    std::size_t widest = 0;
    for (const auto pid : procfs_.pids()) {
        if (procfs_.mount_namespace(pid) != mount_namespace) {
            continue;
        }
        auto root = procfs_.mount_root(pid);
        if (!root || root->mount_namespace != mount_namespace || !root->is_mount) {
            continue;
        }
        if (root->is_users) {
            // Its mounts are whatever the user says, and may never answer.
            return fail(ErrorCode::denied, "mount namespace {} is a user's own", mount_namespace);
        }
        if (const auto view = view_of(*root); view > widest) {
            widest = view;
            best = std::move(root);
        }
    }
    if (best) {
        residents_.insert_or_assign(mount_namespace,
                                    Resident{.process = best->resident, .mount_id = best->mount_id});
    }
    return best;
}

/// That of PID 1. Where it may not be looked at, that of who has run the longest: nobody becomes that by
/// having many children.
Result<std::uint64_t> MountRoots::machines_own() {
    if (machines_own_ != 0) {
        return machines_own_;
    }
    if (const auto of_init = procfs_.mount_namespace(1)) {
        return machines_own_ = *of_init;
    }
    std::uint64_t earliest = std::numeric_limits<std::uint64_t>::max();
    for (const auto pid : procfs_.pids()) {
        const auto found = procfs_.mount_namespace(pid);
        const auto process = procfs_.identity(pid);
        if (found && process && process->start_ticks < earliest) {
            earliest = process->start_ticks;
            machines_own_ = *found;
        }
    }
    if (machines_own_ == 0) {
        return fail(ErrorCode::denied, "no process lets us see in which mount namespace it lives");
    }
    return machines_own_;
}

} // namespace egb::host
