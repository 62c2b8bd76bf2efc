// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/observer.hpp"

#include "host/kernel_locks.hpp"
#include "kinds/lockfile/content.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace egb::lockfile {

namespace {

/// Of the kernel's clock for files, with the least CONFIG_HZ that there is.
constexpr Span longest_tick = std::chrono::milliseconds{10};

std::uint64_t nanoseconds(Instant instant) {
    return static_cast<std::uint64_t>(instant.time_since_epoch().count());
}

std::int64_t nanoseconds(WallTime time) {
    return std::chrono::nanoseconds{time.time_since_epoch()}.count();
}

void add_if(LockRecord& record, bool applies, std::uint32_t fact) {
    record.facts |= applies ? fact : 0U;
}

/// A link and a renamed file may be somebody else's.
bool has_given_a_name(const Lock& lock) {
    return lock.way == EGB_LOCK_BY_LINK || lock.way == EGB_LOCK_BY_RENAME;
}

} // namespace

Result<Look> Observer::look_at(Lock& lock) const {
    auto look = glance_at(lock);
    if (look && look->seen.record.ownerless_ns != 0 && (look->seen.record.facts & is_unreachable) == 0) {
        note_holders(lock, look->seen.record);
    }
    return look;
}

Result<Look> Observer::glance_at(Lock& lock) const {
    if (!names_.may_be_lock(lock.name.path)) {
        return fail(ErrorCode::not_found, "by its name it is no lock"); // since the configuration is another
    }
    const auto sight = surroundings_.files.find(lock.name, lock.id);
    const bool gone = sight ? sight->id != lock.id : sight.error().code == ErrorCode::not_found;
    if (gone) {
        return fail(ErrorCode::not_found, "it is no longer there");
    }
    Look look{.seen = {.record = record_of(lock.id), .path = lock.name.path},
              .changed_ns = lock.changed_ns,
              .ownership = {}};
    LockRecord& record = look.seen.record;
    record.made_ns = (lock.lasting & earlier_boot) != 0 ? 0 : lock.made_ns;
    record.mount_namespace = static_cast<std::uint32_t>(lock.name.mount_namespace);
    record.way = lock.way;
    record.facts = lock.lasting;
    note_owners(lock, look);
    if (!sight) {
        record.facts |= is_unreachable;
        return look;
    }
    note_file(lock, *sight, record);
    if (record.ownerless_ns != 0) {
        note_content(lock, *sight, record);
        note_exports(lock, *sight, record);
    }
    look.changed_ns = sight->changed_ns;
    return look;
}

void Observer::note_owners(Lock& lock, Look& look) const {
    LockRecord& record = look.seen.record;
    const Instant now = surroundings_.clock.now();
    if ((lock.lasting & earlier_boot) != 0) {
        lock.ownerless = lock.ownerless == Instant{} ? now : lock.ownerless;
        record.ownerless_ns = nanoseconds(lock.ownerless);
        return;
    }
    look.ownership = ownership_of(lock.claim(), surroundings_.lineage);
    const Ownership& ownership = look.ownership;
    note_end_of_creator(lock, ownership);
    record.facts |= lock.lasting;
    const bool is_unknown = ownership.state == Ownership::State::unknown;
    if (ownership.state == Ownership::State::owned || (is_unknown && !ownership.has_ended)) {
        lock.ownerless = Instant{};
        lock.outlived = ownership.has_ended ? 1 : 0;
        // What an owner changes is his to change; of one who may be there, or not, nothing follows.
        lock.ownerless_changed_ns = is_unknown ? lock.ownerless_changed_ns : 0;
        return;
    }
    const bool saw_end = ownership.death && ownership.death->seen;
    if (lock.ownerless == Instant{}) {
        // Heirs that have outlived the creator are looked at when they end.
        lock.ownerless = saw_end && lock.outlived == 0 ? ownership.death->at : now;
    }
    record.ownerless_ns = nanoseconds(lock.ownerless);
    record.wait_status = saw_end ? ownership.death->wait_status : 0;
    add_if(record, saw_end && !ownership.death->by_itself(), creator_killed);
    add_if(record, saw_end && ownership.death->dumped_core(), creator_dumped_core);
    add_if(record, is_unknown || !saw_end, owners_unknown);
    add_if(record, ownership.parent_lives, parent_goes_on);
}

void Observer::note_end_of_creator(Lock& lock, const Ownership& ownership) {
    if (!ownership.death) {
        return;
    }
    const host::Death& end = *ownership.death;
    if (end.by_itself()) {
        lock.lasting |= creator_exited;
    } else if (end.was_left) {
        lock.lasting |= heir_exited;
    }
    if (end.seen) {
        lock.creator_ended_ns = nanoseconds(end.at);
        lock.creator_status = end.wait_status;
    }
}

void Observer::note_file(Lock& lock, const host::FileSight& sight, LockRecord& record) const {
    record.size = sight.size;
    const bool is_directory = sight.type == FileType::directory;
    add_if(record, !is_directory && sight.links > 1, has_other_names);
    add_if(record, is_directory && !sight.is_empty, is_not_empty);
    add_if(record, !sight.is_local, is_remote);
    add_if(record, sight.is_mount_point, is_mount_point);
    add_if(record, sight.id.born_ns == 0, is_ageless);
    add_if(record, sight.type == FileType::regular && sight.size > most_bytes_, is_too_large);
    note_bounds(lock, sight, record);
    add_if(record, lock.way == EGB_LOCK_BY_RENAME, was_renamed);
    add_if(record, names_.copies(lock.creator->comm) && !names_.is_known_lock(sight.path), made_for_others);
    add_if(record, has_given_a_name(lock) && sight.uid != lock.creator->uid, is_anothers);
    // For good, whatever the clocks of files and of deaths come to say of each other.
    lock.lasting |= is_changed(lock, sight.changed_ns) ? changed_since : 0U;
    record.facts |= lock.lasting;
}

/// By the paths that its creator has, and those of the machine: a container may have a folder of the
/// machine's under another name, and another folder under the same.
void Observer::note_bounds(const Lock& lock, const host::FileSight& sight, LockRecord& record) const {
    const auto machines = record.ownerless_ns != 0 && names_.has_bounds()
                              ? surroundings_.files.machine_paths(sight)
                              : std::vector<std::string>{};
    const auto is_excepted = [this](const std::string& path) {
        return names_.is_excepted(path);
    };
    const auto is_for_us = [this](const std::string& path) {
        return names_.is_in_bounds(path);
    };
    const bool is_in_bounds = is_for_us(lock.name.path) && is_for_us(sight.path) &&
                              (machines.empty() || std::ranges::any_of(machines, is_for_us));
    add_if(record,
           names_.is_protected(lock.name.path) || names_.is_protected(sight.path) ||
               std::ranges::any_of(machines, is_excepted),
           is_protected);
    add_if(record, !is_in_bounds, is_out_of_bounds);
}

/// For good: while the server is started anew, nothing is exported for a moment.
void Observer::note_exports(Lock& lock, const host::FileSight& sight, LockRecord& record) const {
    if (!sight.is_local) {
        return;
    }
    const auto exported = surroundings_.files.is_exported(sight);
    lock.lasting |= exported.value_or(false) ? is_exported : 0U;
    record.facts |= lock.lasting;
    add_if(record, !exported, is_unreachable);
}

/// Whether that is a change after its last owner's death. Of what was done before the first look after it,
/// only clocks can tell: the kernel side's own, where it sees all changes; else that of the file system,
/// which is behind by up to a tick. They part when the machine sleeps or somebody sets the time: from that
/// look on, it has to stay as it was found.
bool Observer::is_changed(Lock& lock, std::int64_t changed_ns) const {
    if ((lock.lasting & earlier_boot) != 0) {
        return changed_ns != lock.changed_ns;
    }
    if (lock.ownerless == Instant{}) {
        return false;
    }
    if (instant_of(lock.touched_ns) > lock.last_end()) {
        return true;
    }
    if (lock.ownerless_changed_ns != 0) {
        return changed_ns != lock.ownerless_changed_ns;
    }
    lock.ownerless_changed_ns = changed_ns;
    const Span behind = lock.touched_ns != 0 ? Span{} : longest_tick;
    return changed_ns > nanoseconds(surroundings_.clock.wall(lock.last_end() - behind));
}

void Observer::note_holders(const Lock& lock, LockRecord& record) const {
    const auto fd = surroundings_.files.open(lock.name, lock.id);
    const auto holders = fd ? surroundings_.holders.others(fd->get()) : std::unexpected(fd.error());
    if (!holders) {
        record.facts |= holders_unknown;
        return;
    }
    record.holders = static_cast<std::uint32_t>(holders->size());
    add_if(record, !holders->empty(), is_held);
    const auto locks = host::locks_on(surroundings_.procfs, fd->get(), *holders);
    add_if(record, !locks, holders_unknown);
    add_if(record, locks && !locks->empty(), is_locked);
}

/// What is written in a lock is who has it. The pid of an earlier boot may be somebody's now, which says
/// nothing.
void Observer::note_content(const Lock& lock, const host::FileSight& sight, LockRecord& record) const {
    const auto pids = pids_in(sight.content);
    const std::int32_t creator = lock.creator->id.pid;
    const auto own = std::ranges::find_if(pids, [&](std::int32_t pid) {
        return (pid == creator || pid == lock.inner_pid) && names_pid(sight.content, pid);
    });
    if (own != pids.end()) {
        record.named_pid = *own;
        record.facts |= names_creator;
        const bool is_anothers_now =
            (lock.lasting & earlier_boot) == 0 &&
            surroundings_.procfs.is_inner_pid_of_another(*own, lock.pid_namespace, lock.creator->id);
        add_if(record, is_anothers_now && record.ownerless_ns != 0, names_living);
        return;
    }
    const bool has_content =
        sight.type == FileType::link || (sight.type == FileType::regular && sight.size > 0);
    add_if(record, has_content && !names_.is_known_lock(sight.path), holds_data);
    if (pids.empty() || (lock.lasting & earlier_boot) != 0 || names_.is_known_lock(sight.path)) {
        return;
    }
    record.named_pid = pids.front();
    if (lock.inner_pid != creator) {
        record.facts |= names_elsewhere;
        return;
    }
    const auto living = std::ranges::find_if(pids, [this](std::int32_t pid) {
        return surroundings_.procfs.identity(pid).has_value();
    });
    if (living != pids.end()) {
        record.named_pid = *living;
        record.facts |= names_living;
    }
}

Result<> Observer::is_free(int fd) const {
    const auto holders = surroundings_.holders.others(fd);
    if (!holders) {
        return std::unexpected(holders.error());
    }
    if (!holders->empty()) {
        const Holder& holder = holders->front();
        return fail(ErrorCode::changed, "{} (pid {}) {}", holder.process->comm, holder.process->id.pid,
                    holder.fd < 0 ? "works in it" : "has it open");
    }
    const auto locks = host::locks_on(surroundings_.procfs, fd, *holders);
    if (!locks) {
        return std::unexpected(locks.error());
    }
    return locks->empty() ? Result<>{} : fail(ErrorCode::changed, "somebody has locked it");
}

Result<> Observer::is_ownerless(const Lock& lock) const {
    if ((lock.lasting & earlier_boot) != 0 ||
        ownership_of(lock.claim(), surroundings_.lineage).state == Ownership::State::ownerless) {
        return {};
    }
    return fail(ErrorCode::changed, "it may have an owner");
}

} // namespace egb::lockfile
