// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lock_book.hpp"

namespace egb::lockfile {

Lock* LockBook::find(std::string_view key) {
    const auto found = locks_.find(key);
    return found == locks_.end() ? nullptr : &found->second;
}

Lock* LockBook::find(const egb_lock_key& kernel) {
    const auto found = by_kernel_.find({kernel.inode, kernel.device});
    return found == by_kernel_.end() ? nullptr : find(found->second);
}

Lock& LockBook::add(Lock lock) {
    const std::string key = lock.key();
    remove(key);
    by_kernel_.insert_or_assign({lock.kernel.inode, lock.kernel.device}, key);
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

void LockBook::note_owners(const std::string& key, const std::vector<ProcessIdentity>& owners) {
    forget_owners(key);
    for (const ProcessIdentity& owner : owners) {
        by_owner_[owner].insert(key);
    }
    if (!owners.empty()) {
        owners_.emplace(key, owners);
    }
}

std::vector<std::string> LockBook::owned_by(const ProcessIdentity& owner) const {
    const auto found = by_owner_.find(owner);
    return found == by_owner_.end() ? std::vector<std::string>{}
                                    : std::vector<std::string>{found->second.begin(), found->second.end()};
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
