// SPDX-License-Identifier: Apache-2.0
// A clock that the test turns by hand.
#pragma once

#include "core/clock.hpp"

namespace egb::test {

class FakeClock final : public Clock {
public:
    [[nodiscard]] Instant now() const override { return now_; }
    [[nodiscard]] WallTime wall_now() const override {
        return WallTime{std::chrono::seconds{1'700'000'000}} +
               std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch() + ahead_);
    }

    [[nodiscard]] Span cpu_time() const override { return worked_; }

    void advance(Span span) { now_ += span; }

    /// Wall time goes on alone, as when the machine sleeps or somebody sets the time.
    void advance_wall(Span span) { ahead_ += span; }

    /// The same, and the CPU was busy with us meanwhile.
    void work(Span span) {
        now_ += span;
        worked_ += span;
    }

private:
    Instant now_{std::chrono::hours{1}};
    Span ahead_{};
    Span worked_{};
};

} // namespace egb::test
