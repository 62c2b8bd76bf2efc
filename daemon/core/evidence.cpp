// SPDX-License-Identifier: Apache-2.0
#include "core/evidence.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace egb {

namespace {

std::string format_bytes(std::int64_t bytes) {
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
    constexpr double step = 1024.0;
    if (bytes > -1024 && bytes < 1024) {
        return formatted("{} B", bytes);
    }
    double size = static_cast<double>(bytes) / step;
    std::size_t unit = 0;
    while (unit + 1 < units.size() && (size >= step || size <= -step)) {
        size /= step;
        ++unit;
    }
    return formatted("{:.1f} {}", size, units.at(unit));
}

std::string format_number(EvidenceUnit unit, std::int64_t value, Instant now) {
    switch (unit) {
    case EvidenceUnit::none:
        return {};
    case EvidenceUnit::count:
        return std::to_string(value);
    case EvidenceUnit::bytes:
        return format_bytes(value);
    case EvidenceUnit::span:
        return format_span(Span{value});
    case EvidenceUnit::since:
        return format_span(std::chrono::floor<std::chrono::seconds>(now - Instant{Span{value}}));
    }
    std::unreachable();
}

} // namespace

std::string_view to_string(Weight weight) {
    switch (weight) {
    case Weight::supports:
        return "supports";
    case Weight::opposes:
        return "opposes";
    }
    std::unreachable();
}

std::string sentence(const Evidence& evidence, Instant now) {
    std::string text{evidence.rule->text};
    if (const auto place = text.find("{}"); place != std::string::npos) {
        text.replace(place, 2, format_number(evidence.rule->unit, evidence.value, now));
    }
    return text;
}

} // namespace egb
