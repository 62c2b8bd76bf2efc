// SPDX-License-Identifier: Apache-2.0
// Unit and container of control groups, by id. The kernel side tells the path of each before the first event
// in it, so that names are known of processes that are gone before anybody could look; the ids are never
// given twice. The most recently used are remembered.
#pragma once

#include "host/cgroup_names.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace egb::trace {

class CgroupCache {
public:
    /// Four times what the kernel side remembers to have told.
    static constexpr std::size_t usual_most = 16'384;

    explicit CgroupCache(std::size_t most = usual_most) : most_{most} {}

    void learn(std::uint64_t id, std::string_view path);

    /// Empty names when it was never told of, or too long ago.
    [[nodiscard]] const host::CgroupNames& names(std::uint64_t id);

    [[nodiscard]] std::size_t size() const { return by_id_.size(); }

private:
    using Entry = std::pair<std::uint64_t, host::CgroupNames>;

    std::size_t most_;
    std::list<Entry> by_use_; ///< the last used first
    std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_id_;
    host::CgroupNames unknown_;
};

} // namespace egb::trace
