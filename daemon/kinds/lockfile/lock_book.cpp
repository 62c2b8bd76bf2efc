// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lock_book.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <ranges>

namespace egb::lockfile {

namespace {

/// A disk's own, which nobody but root has brought here. Others are numbers that the kernel makes up.
bool is_disk(std::uint64_t device) {
    return ::major(device) != 0;
}

/// What lies in an upper layer of overlayfs has the inode number and the birth time that it has there. Those
/// a user's own file system could make up, so that only a disk is believed; and two disks may be copies.
bool is_under_overlay(const FileIdentity& asked, const FileIdentity& known) {
    return is_disk(asked.device) && !is_disk(known.device) && asked.inode == known.inode &&
           asked.born_ns == known.born_ns && asked.born_ns != 0;
}

} // namespace

Lock* LockBook::find(std::string_view key) {
    const auto found = locks_.find(key);
    return found == locks_.end() ? nullptr : &found->second;
}

Lock* LockBook::find(const egb_lock_key& kernel) {
    const auto found = by_kernel_.find({kernel.inode, kernel.device});
    return found == by_kernel_.end() ? nullptr : find(found->second);
}

const Lock* LockBook::find(const FileIdentity& file) const {
    if (const auto found = locks_.find(key_of(file)); found != locks_.end()) {
        return &found->second;
    }
    const auto all = locks_ | std::views::values;
    const auto found = std::ranges::find_if(all, [&file](const Lock& lock) {
        return is_under_overlay(file, lock.id);
    });
    return found == all.end() ? nullptr : &*found;
}

Lock& LockBook::add(Lock lock) {
    const std::string key = lock.key();
    remove(key);
    by_kernel_.insert_or_assign({lock.kernel.inode, lock.kernel.device}, key);
    ++by_user_[lock.creator->uid];
    return locks_.emplace(key, std::move(lock)).first->second;
}

void LockBook::remove(const std::string& key) {
    const auto found = locks_.find(key);
    if (found == locks_.end()) {
        return;
    }
    const Kernel kernel{found->second.kernel.inode, found->second.kernel.device};
    if (const auto known = by_kernel_.find(kernel); known != by_kernel_.end() && known->second == key) {
        by_kernel_.erase(known);
    }
    if (const auto user = by_user_.find(found->second.creator->uid); --user->second == 0) {
        by_user_.erase(user);
    }
    forget_owners(key);
    locks_.erase(found);
}

void LockBook::forget_owners(const std::string& key) {
    const auto known = owners_.find(key);
    if (known == owners_.end()) {
        return;
    }
    for (const ProcessIdentity& owner : known->second) {
        const auto owned = by_owner_.find(owner);
        if (owned != by_owner_.end() && owned->second.erase(key) > 0 && owned->second.empty()) {
            by_owner_.erase(owned);
        }
    }
    owners_.erase(known);
}

void LockBook::note_owners(const std::string& key, std::vector<ProcessIdentity> owners) {
    forget_owners(key);
    for (const ProcessIdentity& owner : owners) {
        by_owner_[owner].insert(key);
    }
    if (!owners.empty()) {
        owners_.emplace(key, std::move(owners));
    }
}

std::vector<std::string> LockBook::owned_by(const ProcessIdentity& owner) const {
    const auto found = by_owner_.find(owner);
    return found == by_owner_.end() ? std::vector<std::string>{}
                                    : std::vector<std::string>{found->second.begin(), found->second.end()};
}

std::size_t LockBook::made_by(std::uint32_t uid) const {
    const auto found = by_user_.find(uid);
    return found == by_user_.end() ? 0 : found->second;
}

std::vector<std::string> LockBook::keys() const {
    std::vector<std::string> keys;
    keys.reserve(locks_.size());
    for (const auto& [key, lock] : locks_) {
        keys.push_back(key);
    }
    return keys;
}

} // namespace egb::lockfile
