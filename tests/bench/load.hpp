// SPDX-License-Identifier: Apache-2.0
// What a load of ./dev bench is told, and tells: it reads lines, each a number of milliseconds to run for,
// and answers each with one object of JSON.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>

namespace egb::bench {

/// Between two looks at the clock.
inline constexpr unsigned cycles_in_a_batch = 16;

inline int check(int result, std::string_view what) {
    if (result < 0) {
        throw std::system_error{errno, std::generic_category(), std::string{what}};
    }
    return result;
}

void run_for(std::chrono::milliseconds length, const auto& cycle) {
    using std::chrono::steady_clock;
    const auto begun = steady_clock::now();
    std::uint64_t cycles = 0;
    while (steady_clock::now() - begun < length) {
        for (unsigned done = 0; done < cycles_in_a_batch; ++done) {
            cycle();
        }
        cycles += cycles_in_a_batch;
    }
    const std::chrono::nanoseconds took = steady_clock::now() - begun;
    std::cout << R"({"cycles": )" << cycles << R"(, "ns": )" << took.count() << "}\n" << std::flush;
}

void run_as_told(const auto& cycle) {
    for (std::chrono::milliseconds::rep length{}; std::cin >> length;) {
        run_for(std::chrono::milliseconds{length}, cycle);
    }
}

} // namespace egb::bench
