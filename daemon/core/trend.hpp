// SPDX-License-Identifier: Apache-2.0
// How fast something grows, and when there will be no more room for it.
#pragma once

#include "core/clock.hpp"

#include <optional>
#include <span>

namespace egb {

/// A count at a time.
struct Sample {
    Instant at;
    double value{};
};

/// How fast the floor rises, per minute: what comes and goes, as the descriptors of a busy server do, is no
/// growth. Nothing where the samples, the oldest first, are too few or too close together to say.
[[nodiscard]] std::optional<double> growth_per_minute(std::span<const Sample> samples);

/// How long `left` lasts at that growth, no more exact than a forecast is. Nothing when it lasts for more
/// than a week, about which some minutes say nothing.
[[nodiscard]] std::optional<Span> lasts(double left, double growth_per_minute);

} // namespace egb
