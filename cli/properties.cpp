// SPDX-License-Identifier: Apache-2.0
#include "properties.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>

namespace egb::cli {

namespace {

using NamedCapability = sdbus::Struct<std::string, bool, std::string>;
using FourStrings = sdbus::Struct<std::string, std::string, std::string, std::string>;

template <typename T>
T get(const Properties& properties, const char* name) {
    const auto found = properties.find(sdbus::PropertyName{name});
    return found == properties.end() || !found->second.containsValueOfType<T>() ? T{}
                                                                                : found->second.get<T>();
}

template <typename T>
Json plain(const sdbus::Variant& value) {
    return value.get<T>();
}

template <typename... Parts>
Json array_of(const std::tuple<Parts...>& row) {
    return std::apply(
        [](const auto&... parts) {
            return Json::array({parts...});
        },
        row);
}

/// Structs become arrays.
template <typename Struct>
Json rows(const sdbus::Variant& value) {
    auto all = Json::array();
    for (const auto& row : value.get<std::vector<Struct>>()) {
        all.push_back(array_of(row));
    }
    return all;
}

struct Converter {
    std::string_view signature;
    Json (*convert)(const sdbus::Variant&);
};

constexpr std::array converters{
    Converter{"b", plain<bool>},
    Converter{"i", plain<std::int32_t>},
    Converter{"u", plain<std::uint32_t>},
    Converter{"x", plain<std::int64_t>},
    Converter{"t", plain<std::uint64_t>},
    Converter{"d", plain<double>},
    Converter{"s", plain<std::string>},
    Converter{"as", plain<std::vector<std::string>>},
    Converter{"a{ss}", plain<std::map<std::string, std::string>>},
    Converter{"a(sbs)", rows<NamedCapability>},
    Converter{"a(ssbs)", rows<sdbus::Struct<std::string, std::string, bool, std::string>>},
    Converter{"a(ssss)", rows<FourStrings>},
};

} // namespace

ManagerView manager_view(const Properties& properties) {
    return {
        .version = get<std::string>(properties, "Version"),
        .boot_id = get<std::string>(properties, "BootId"),
        .started = wall_of(get<std::uint64_t>(properties, "Started")),
        .kinds = get<std::vector<std::string>>(properties, "Kinds"),
        .dry_run = get<bool>(properties, "DryRun"),
        .paused = get<bool>(properties, "Paused"),
        .ghosts = get<std::uint64_t>(properties, "Ghosts"),
        .troubles = get<std::vector<std::string>>(properties, "Troubles"),
    };
}

KindView kind_view(const Properties& properties) {
    KindView view{
        .name = get<std::string>(properties, "Name"),
        .summary = get<std::string>(properties, "Summary"),
        .reach = get<std::string>(properties, "Reach"),
        .enabled = get<bool>(properties, "Enabled"),
        .trouble = get<std::string>(properties, "Trouble"),
        .clean = get<std::string>(properties, "Clean"),
        .veto = span_of(get<std::uint64_t>(properties, "VetoUSec")),
        .option_table = {},
        .options = get<std::map<std::string, std::string>>(properties, "Options"),
        .capabilities = {},
        .tracked = get<std::uint64_t>(properties, "Tracked"),
        .suspected = get<std::uint64_t>(properties, "Suspected"),
        .proven = get<std::uint64_t>(properties, "Proven"),
        .lost_events = get<std::uint64_t>(properties, "LostEvents"),
        .last_sweep = {},
        .last_sweep_took = span_of(get<std::uint64_t>(properties, "LastSweepUSec")),
    };
    if (const auto at = get<std::uint64_t>(properties, "LastSweep"); at > 0) {
        view.last_sweep = wall_of(at);
    }
    for (const auto& [name, type, preset, help] : get<std::vector<FourStrings>>(properties, "OptionTable")) {
        view.option_table.push_back({name, type, preset, help});
    }
    for (const auto& [name, works, detail] : get<std::vector<NamedCapability>>(properties, "Capabilities")) {
        view.capabilities.push_back({name, works, detail});
    }
    return view;
}

Json json_of(const sdbus::Variant& value) {
    const std::string_view signature = value.peekValueType();
    for (const auto& [candidate, convert] : converters) {
        if (candidate == signature) {
            return convert(value);
        }
    }
    return nullptr;
}

} // namespace egb::cli
