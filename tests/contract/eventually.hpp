// SPDX-License-Identifier: Apache-2.0
// Waiting for another thread or process, with an end to it.
#pragma once

#include <chrono>
#include <thread>

namespace egb::test {

/// Far longer than anything takes, and shorter than anyone's patience.
inline constexpr std::chrono::seconds patience{30};

/// True as soon as `done` is; false when it was not within `patience`.
template <typename Done>
bool eventually(Done done) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

} // namespace egb::test
