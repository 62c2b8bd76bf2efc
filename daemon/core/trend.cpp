// SPDX-License-Identifier: Apache-2.0
#include "core/trend.hpp"

#include <algorithm>
#include <chrono>

namespace egb {

namespace {

using Minutes = std::chrono::duration<double, std::ratio<60>>;

constexpr std::size_t least_samples = 4;
constexpr Span least_window = std::chrono::minutes{1};
constexpr Span horizon = std::chrono::days{7};

/// A forecast is not exact to the second.
Span rounded(Span span) {
    if (span < std::chrono::minutes{1}) {
        return std::chrono::floor<std::chrono::seconds>(span);
    }
    return span < std::chrono::days{1} ? Span{std::chrono::floor<std::chrono::minutes>(span)}
                                       : Span{std::chrono::floor<std::chrono::hours>(span)};
}

double least(std::span<const Sample> samples) {
    return std::ranges::min(samples, {}, &Sample::value).value;
}

} // namespace

std::optional<double> growth_per_minute(std::span<const Sample> samples) {
    if (samples.size() < least_samples || samples.back().at - samples.front().at < least_window) {
        return std::nullopt;
    }
    const auto earlier = samples.first(samples.size() / 2);
    const auto later = samples.subspan(samples.size() / 2);
    const Minutes minutes = later.front().at - earlier.front().at;
    return (least(later) - least(earlier)) / minutes.count();
}

std::optional<Span> lasts(double left, double growth_per_minute) {
    if (left <= 0.0) {
        return Span{};
    }
    if (growth_per_minute <= 0.0 || left / growth_per_minute > Minutes{horizon}.count()) {
        return std::nullopt;
    }
    return rounded(std::chrono::duration_cast<Span>(Minutes{left / growth_per_minute}));
}

} // namespace egb
