// SPDX-License-Identifier: Apache-2.0
// The real clock.
#pragma once

#include "core/clock.hpp"

namespace egb::host {

class MonotonicClock final : public Clock {
public:
    [[nodiscard]] Instant now() const override;
    [[nodiscard]] WallTime wall_now() const override;
    [[nodiscard]] Span cpu_time() const override;
};

} // namespace egb::host
