// SPDX-License-Identifier: Apache-2.0
#include "core/time_span.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>

namespace egb {

namespace {

using namespace std::chrono_literals;

struct Unit {
    std::string_view name;
    Span length;
};

constexpr Span day = 24h;
constexpr Span year = std::chrono::seconds{31'557'600};
constexpr Span month = year / 12;

constexpr auto written_units = std::to_array<Unit>({
    {"", 1s},          {"ns", 1ns},        {"nsec", 1ns},   {"us", 1us},      {"usec", 1us},
    {"µs", 1us},       {"\u03bcs", 1us},   {"ms", 1ms},     {"msec", 1ms},    {"s", 1s},
    {"sec", 1s},       {"second", 1s},     {"seconds", 1s}, {"m", 1min},      {"min", 1min},
    {"minute", 1min},  {"minutes", 1min},  {"h", 1h},       {"hr", 1h},       {"hour", 1h},
    {"hours", 1h},     {"d", day},         {"day", day},    {"days", day},    {"w", 7 * day},
    {"week", 7 * day}, {"weeks", 7 * day}, {"M", month},    {"month", month}, {"months", month},
    {"y", year},       {"year", year},     {"years", year},
});

// Weeks, months and years are read but not written: "30d" says more than "4w 2d".
constexpr auto shown_units = std::to_array<Unit>({
    {"d", day},
    {"h", 1h},
    {"min", 1min},
    {"s", 1s},
    {"ms", 1ms},
    {"us", 1us},
    {"ns", 1ns},
});

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
    const auto* const end = std::ranges::find_if_not(text, wanted);
    const auto length = static_cast<std::size_t>(end - text.begin());
    const auto taken = text.substr(0, length);
    text.remove_prefix(length);
    return taken;
}

bool is_unit_part(char c) {
    return !is_blank(c) && !is_digit(c) && c != '.';
}

/// whole.fraction times the unit, nothing when it does not fit.
std::optional<Span> multiply(std::string_view whole, std::string_view fraction, Span unit) {
    Span::rep sum = 0;
    for (const char digit : whole) {
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit - '0', &sum)) {
            return std::nullopt;
        }
    }
    if (__builtin_mul_overflow(sum, unit.count(), &sum)) {
        return std::nullopt;
    }
    Span::rep place = unit.count();
    for (const char digit : fraction) {
        place /= 10;
        if (__builtin_add_overflow(sum, place * (digit - '0'), &sum)) {
            return std::nullopt;
        }
    }
    return Span{sum};
}

std::unexpected<Error> not_a_span(std::string_view text) {
    return fail(ErrorCode::invalid, R"(expected a time span such as 15s, "1min 30s" or infinity, not "{}")",
                text);
}

std::string write(Span span, std::ptrdiff_t most_units) {
    if (span == forever) {
        return "infinity";
    }
    const auto* const largest = std::ranges::find_if(shown_units, [span](const Unit& unit) {
        return unit.length <= span;
    });
    std::string text;
    for (const auto& [name, length] :
         std::ranges::subrange(largest, shown_units.end()) | std::views::take(most_units)) {
        if (const auto number = span / length; number > 0) {
            text += formatted("{}{}{}", text.empty() ? "" : " ", number, name);
        }
        span %= length;
    }
    return text.empty() ? "0s" : text;
}

} // namespace

Result<Span> parse_span(std::string_view text) {
    const auto whole_text = text;
    take_while(text, is_blank);
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    if (text == "infinity") {
        return forever;
    }
    if (text.empty()) {
        return not_a_span(whole_text);
    }

    Span sum{};
    while (!text.empty()) {
        const auto whole = take_while(text, is_digit);
        std::string_view fraction;
        if (text.starts_with('.')) {
            text.remove_prefix(1);
            fraction = take_while(text, is_digit);
            if (fraction.empty()) {
                return not_a_span(whole_text);
            }
        }
        take_while(text, is_blank);
        const auto* const unit =
            std::ranges::find(written_units, take_while(text, is_unit_part), &Unit::name);
        if ((whole.empty() && fraction.empty()) || unit == written_units.end() || text.starts_with('.')) {
            return not_a_span(whole_text);
        }
        take_while(text, is_blank);
        const auto part = multiply(whole, fraction, unit->length);
        if (!part || *part > forever - sum) {
            return fail(ErrorCode::invalid, "\"{}\" is longer than this program can count; write infinity",
                        whole_text);
        }
        sum += *part;
    }
    return sum;
}

std::string format_span(Span span) {
    return write(span, 2);
}

std::string exact_span(Span span) {
    return write(span, std::ssize(shown_units));
}

} // namespace egb
