// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/found_holders.hpp"

#include <algorithm>
#include <cstddef>
#include <ranges>
#include <tuple>
#include <utility>

namespace egb::tcp {

void FoundHolders::clear() {
    cookies_.clear();
    holders_.clear();
}

void FoundHolders::add(std::uint64_t cookie, Holder holder) {
    cookies_.push_back(cookie);
    holders_.push_back(std::move(holder));
}

void FoundHolders::sort() {
    const auto order = [](const auto& found) {
        const auto& [cookie, holder] = found;
        return std::tuple{cookie, holder.process->id.pid, holder.fd};
    };
    auto all = std::views::zip(cookies_, holders_);
    if (!std::ranges::is_sorted(all, {}, order)) { // a process mostly has its sockets in their order
        std::ranges::sort(all, {}, order);
    }
}

std::span<const Holder> FoundHolders::of(std::uint64_t cookie) const {
    const auto found = std::ranges::equal_range(cookies_, cookie);
    return std::span{holders_}.subspan(static_cast<std::size_t>(found.begin() - cookies_.begin()),
                                       found.size());
}

} // namespace egb::tcp
