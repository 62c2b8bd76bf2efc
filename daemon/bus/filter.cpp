// SPDX-License-Identifier: Apache-2.0
#include "bus/filter.hpp"

#include "bus/wire.hpp"
#include "core/decision.hpp"
#include "core/format.hpp"
#include "core/incident.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

namespace egb::bus {

namespace {

/// How one key is read into `Target`.
template <typename Target>
struct Key {
    std::string_view name;
    std::string_view type; ///< as D-Bus writes it, for the message
    Result<> (*read)(Target& target, const sdbus::Variant& value);
};

/// Stores the value as it is.
template <auto member, typename Type, typename Target>
Result<> store(Target& target, const sdbus::Variant& value) {
    target.*member = value.get<Type>();
    return {};
}

/// Stores what the word means to `parse`.
template <auto member, auto parse, typename Target>
Result<> store_word(Target& target, const sdbus::Variant& value) {
    const auto meaning = parse(shortened(value.get<std::string>()));
    if (!meaning) {
        return std::unexpected(meaning.error());
    }
    target.*member = *meaning;
    return {};
}

/// Stores the word once `parse` has found a meaning in it.
template <auto member, auto parse, typename Target>
Result<> store_checked(Target& target, const sdbus::Variant& value) {
    auto word = shortened(value.get<std::string>());
    if (const auto meaning = parse(word); !meaning) {
        return std::unexpected(meaning.error());
    }
    target.*member = std::move(word);
    return {};
}

template <auto member, typename Target>
Result<> store_wall_time(Target& target, const sdbus::Variant& value) {
    constexpr auto most = static_cast<std::uint64_t>(WallTime::max().time_since_epoch().count());
    const auto usec = std::min(value.get<std::uint64_t>(), most);
    target.*member = WallTime{std::chrono::microseconds{static_cast<std::int64_t>(usec)}};
    return {};
}

template <auto member, typename Target>
Result<> store_span(Target& target, const sdbus::Variant& value) {
    target.*member = span_of_usec(value.get<std::uint64_t>());
    return {};
}

template <typename Target>
Result<> store_events(Target& target, const sdbus::Variant& value) {
    return trace::set_events(target, value.get<std::vector<std::string>>());
}

template <typename Range, typename Name>
std::string names_of(const Range& range, Name name) {
    std::string names;
    for (const auto& entry : range) {
        names += formatted("{}{}", names.empty() ? "" : ", ", std::invoke(name, entry));
    }
    return names;
}

std::string type_of(const sdbus::Variant& value) {
    const char* type = value.peekValueType();
    return shortened(type == nullptr ? "nothing" : type);
}

template <typename Target, std::size_t count>
Result<Target> read(const Dictionary& dictionary, const std::array<Key<Target>, count>& keys, Target target) {
    for (const auto& [name, value] : dictionary) {
        const auto* const key = std::ranges::find(keys, name, &Key<Target>::name);
        if (key == keys.end()) {
            return fail(ErrorCode::invalid, "unknown key \"{}\"; known are {}", shortened(name),
                        names_of(keys, &Key<Target>::name));
        }
        if (type_of(value) != key->type) {
            return fail(ErrorCode::invalid, "\"{}\" must be of type {}, not {}; known are {}", name,
                        key->type, type_of(value), names_of(keys, &Key<Target>::name));
        }
        if (const auto stored = key->read(target, value); !stored) {
            return fail(ErrorCode::invalid, "\"{}\": {}", name, stored.error().message);
        }
    }
    return target;
}

Result<OptionValue> unsuited(const OptionSpec& spec, const sdbus::Variant& value, std::string_view wanted) {
    return fail(ErrorCode::invalid, "\"{}\" must be of type {}, not {}", spec.name, wanted, type_of(value));
}

/// A number means a count or a span by the option it is for.
Result<OptionValue> option_of_number(const OptionSpec& spec, const sdbus::Variant& value) {
    const auto number = value.get<std::uint64_t>();
    if (spec.type == OptionType::count) {
        return number;
    }
    if (spec.type == OptionType::span) {
        return span_of_usec(number);
    }
    return unsuited(spec, value, "s");
}

Result<OptionValue> option_of(const OptionSpec& spec, const sdbus::Variant& value) {
    const auto type = type_of(value);
    if (type == "s") {
        return parse_option(spec, value.get<std::string>());
    }
    if (type == "t") {
        return option_of_number(spec, value);
    }
    if (type == "b" && spec.type == OptionType::flag) {
        return value.get<bool>();
    }
    if (type == "as" && spec.type == OptionType::list) {
        return value.get<std::vector<std::string>>();
    }
    return unsuited(spec, value, "s, or the one that fits it");
}

constexpr std::array verdicts{Verdict::cleaned, Verdict::gone, Verdict::refused, Verdict::failed,
                              Verdict::asked};

Result<Verdict> parse_verdict(std::string_view word) {
    const auto spelling = [](Verdict verdict) {
        return to_string(verdict);
    };
    const auto* const found = std::ranges::find(verdicts, word, spelling);
    if (found == verdicts.end()) {
        return fail(ErrorCode::invalid, "expected one of {}, not \"{}\"", names_of(verdicts, spelling), word);
    }
    return *found;
}

struct CleanOptions {
    bool suspected{};
};

} // namespace

Result<GhostFilter> ghost_filter(const Dictionary& dictionary) {
    static constexpr std::array<Key<GhostFilter>, 10> keys{{
        {"kind", "s", store<&GhostFilter::kind, std::string>},
        {"grade", "s", store_word<&GhostFilter::grade, parse_grade>},
        {"pid", "i", store<&GhostFilter::pid, std::int32_t>},
        {"uid", "u", store<&GhostFilter::uid, std::uint32_t>},
        {"unit", "s", store<&GhostFilter::unit, std::string>},
        {"container", "s", store<&GhostFilter::container, std::string>},
        {"comm", "s", store<&GhostFilter::comm, std::string>},
        {"min_age", "t", store_span<&GhostFilter::min_age>},
        {"members", "b", store<&GhostFilter::members, bool>},
        {"group", "t", store<&GhostFilter::group, std::uint64_t>},
    }};
    return read(dictionary, keys, GhostFilter{});
}

Result<state::HistoryFilter> history_filter(const Dictionary& dictionary) {
    using state::HistoryFilter;
    static constexpr std::array<Key<HistoryFilter>, 6> keys{{
        {"kind", "s", store<&HistoryFilter::kind, std::string>},
        {"type", "s", store_checked<&HistoryFilter::type, parse_incident_type>},
        {"verdict", "s", store_checked<&HistoryFilter::verdict, parse_verdict>},
        {"ghost", "t", store<&HistoryFilter::ghost, std::uint64_t>},
        {"since", "t", store_wall_time<&HistoryFilter::since>},
        {"until", "t", store_wall_time<&HistoryFilter::until>},
    }};
    return read(dictionary, keys, HistoryFilter{});
}

Result<trace::Filter> trace_filter(const Dictionary& dictionary) {
    using trace::Filter;
    static constexpr std::array<Key<Filter>, 9> keys{{
        {"events", "as", store_events<Filter>},
        {"min_duration", "t", store_span<&Filter::min_duration>},
        {"uid", "u", store<&Filter::uid, std::uint32_t>},
        {"comm", "s", store<&Filter::comm, std::string>},
        {"unit", "s", store<&Filter::unit, std::string>},
        {"cgroup", "s", store<&Filter::cgroup, std::string>},
        {"pid", "i", store<&Filter::pid, std::int32_t>},
        {"failed", "b", store<&Filter::failed, bool>},
        {"cwd", "b", store<&Filter::cwd, bool>},
    }};
    auto filter = read(dictionary, keys, Filter{});
    if (const auto sound = filter ? trace::check(*filter) : Result<>{}; !sound) {
        return std::unexpected(sound.error());
    }
    return filter;
}

Result<Grade> least_grade(const Dictionary& dictionary) {
    static constexpr std::array<Key<CleanOptions>, 1> keys{{
        {"suspected", "b", store<&CleanOptions::suspected, bool>},
    }};
    return read(dictionary, keys, CleanOptions{}).transform([](const CleanOptions& options) {
        return options.suspected ? Grade::suspected : Grade::proven;
    });
}

Result<std::map<std::string, std::string>> policy_options(const Dictionary& dictionary,
                                                          std::span<const OptionSpec> table) {
    std::map<std::string, std::string> options;
    for (const auto& [name, value] : dictionary) {
        const auto spec = std::ranges::find(table, name, &OptionSpec::name);
        if (spec == table.end()) {
            return fail(ErrorCode::invalid, "unknown option \"{}\"; known are {}", shortened(name),
                        names_of(table, &OptionSpec::name));
        }
        const auto meaning = option_of(*spec, value);
        if (!meaning) {
            return std::unexpected(meaning.error());
        }
        // What came as a number or a list must keep the limits of the table too.
        auto text = to_text(*meaning);
        if (const auto sound = parse_option(*spec, text); !sound) {
            return std::unexpected(sound.error());
        }
        options.emplace(name, std::move(text));
    }
    return options;
}

} // namespace egb::bus
