// SPDX-License-Identifier: Apache-2.0
// Records of the kernel side come as bytes, aligned as chance will have it.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

namespace egb {

/// What they begin with; nothing when they are too few.
template <typename T>
[[nodiscard]] std::optional<T> front_of(std::span<const std::byte> bytes) {
    T front{};
    if (bytes.size() < sizeof(front)) {
        return std::nullopt;
    }
    std::memcpy(&front, bytes.data(), sizeof(front));
    return front;
}

} // namespace egb
