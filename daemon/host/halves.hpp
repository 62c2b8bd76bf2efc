// SPDX-License-Identifier: Apache-2.0
// A program that goes through the connections of a network namespace, and two that do so in halves at once.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <thread>

namespace egb::host {

struct Halves {
    std::string_view whole;
    std::array<std::string_view, 2> halves;
    /// From so many sockets on: each of the two goes through the whole of the kernel's table.
    std::size_t worth_a_thread{};

    /// Which to run for that many. `refusal` says why a program is not there, and nothing when it is.
    [[nodiscard]] std::span<const std::string_view> programs(std::size_t sockets, const auto& refusal) const {
        const bool in_halves = sockets >= worth_a_thread && std::thread::hardware_concurrency() > 1 &&
                               std::ranges::all_of(halves, [&](std::string_view program) {
                                   return refusal(program).empty();
                               });
        return in_halves ? std::span<const std::string_view>{halves} : std::span{&whole, 1};
    }
};

} // namespace egb::host
