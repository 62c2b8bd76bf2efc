// SPDX-License-Identifier: Apache-2.0
// What is asked of the kernel side of lock files, by whatever mechanism it sees them.
#pragma once

#include "host/events.hpp"

#include "bpf/lockfile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace egb::test {

/// Of names that end so, as it stands in the kernel: backwards.
inline egb_lock_pattern pattern_of(std::string end) {
    std::ranges::reverse(end);
    egb_lock_pattern pattern{};
    pattern.bits = static_cast<__u32>(8 * end.size());
    end.copy(pattern.tail, sizeof(pattern.tail));
    return pattern;
}

/// For whoever has events().
class LockQueries {
public:
    std::uint32_t ask(this auto& self, std::string_view program, egb_lock_query& query) {
        return self.events().call(program, std::as_writable_bytes(std::span{&query, 1})).value();
    }
    std::uint32_t ask(this auto& self, std::string_view program, const egb_lock_created& file) {
        egb_lock_query query{};
        query.key = file.key;
        query.made_ns = file.header.time_ns;
        return self.ask(program, query);
    }
    [[nodiscard]] egb_lock_watched state(this auto& self, const egb_lock_created& file) {
        egb_lock_query query{};
        query.key = file.key;
        EXPECT_EQ(self.ask("egb_lock_state", query), 0U);
        return query.watched;
    }
};

} // namespace egb::test
