// SPDX-License-Identifier: Apache-2.0
// Who holds which socket, as one sweep finds out: in one place for all of them, because a sweep may meet
// 50,000.
#pragma once

#include "core/identity.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace egb::tcp {

class FoundHolders {
public:
    void clear();
    void add(std::uint64_t cookie, Holder holder);

    /// What was added can be asked for from now on.
    void sort();

    /// In the order of pids and descriptors; empty for a socket that nobody was found to hold.
    [[nodiscard]] std::span<const Holder> of(std::uint64_t cookie) const;

private:
    std::vector<std::uint64_t> cookies_;
    std::vector<Holder> holders_; ///< each of the cookie in its place
};

} // namespace egb::tcp
