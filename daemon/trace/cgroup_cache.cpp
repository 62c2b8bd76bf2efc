// SPDX-License-Identifier: Apache-2.0
#include "trace/cgroup_cache.hpp"

namespace egb::trace {

void CgroupCache::learn(std::uint64_t id, std::string_view path) {
    if (by_id_.contains(id)) {
        return;
    }
    if (by_id_.size() >= most_) {
        by_id_.erase(by_use_.back().first);
        by_use_.pop_back();
    }
    by_use_.emplace_front(id, host::names_of_cgroup(path));
    by_id_.emplace(id, by_use_.begin());
}

const host::CgroupNames& CgroupCache::names(std::uint64_t id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
        return unknown_;
    }
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->second;
}

} // namespace egb::trace
