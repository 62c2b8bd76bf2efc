// SPDX-License-Identifier: Apache-2.0
// The proof that a kernel path lives: with each beat of the watchdog an event is provoked, and the one before
// must have come back. Owned by whoever hears the events; runs on the loop.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace egb {

class Pulse {
public:
    /// What has come of the path so far.
    struct Signs {
        std::uint64_t canaries{};
        std::uint64_t lost{};
    };

    /// Some event has come.
    void hear() { heard_ = true; }

    /// False when the path is dead, and nobody should feed the watchdog. What waits in the ring must have
    /// been heard before.
    [[nodiscard]] bool beat(std::string_view name, Signs signs, const std::function<Result<>()>& provoke);

private:
    bool awaited_{}; ///< a canary was sent at the last beat
    Signs last_;     ///< at the last beat
    bool heard_{};   ///< anything at all since the last beat
};

/// Whether there is something to read.
[[nodiscard]] bool has_events(int fd);

} // namespace egb
