// SPDX-License-Identifier: Apache-2.0
#include "trace/filter.hpp"

#include "bpf/trace.h"
#include "core/utf8.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

namespace egb::trace {

namespace {

using nlohmann::json;

/// How one key of a filter is read; false when its value is of another type than `type` says.
struct Key {
    std::string_view name;
    std::string_view type;
    bool (*fits)(const json& value);
    Result<> (*read)(Filter& filter, const json& value);
};

bool is_text(const json& value) {
    return value.is_string();
}

bool is_flag(const json& value) {
    return value.is_boolean();
}

template <typename Number>
bool is_number(const json& value) {
    return value.is_number_unsigned() &&
           value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<Number>::max());
}

bool is_list(const json& value) {
    return value.is_array() && std::ranges::all_of(value, is_text);
}

template <auto member, typename Type>
Result<> store(Filter& filter, const json& value) {
    filter.*member = value.get<Type>();
    return {};
}

Result<> store_min_duration(Filter& filter, const json& value) {
    filter.min_duration = std::chrono::microseconds{value.get<std::int64_t>()};
    return {};
}

Result<> store_events(Filter& filter, const json& value) {
    return set_events(filter, value.get<std::vector<std::string>>());
}

/// Microseconds that are still a span in nanoseconds.
bool is_span(const json& value) {
    constexpr auto most = std::chrono::duration_cast<std::chrono::microseconds>(forever).count();
    return is_number<std::int64_t>(value) && value.get<std::int64_t>() <= most;
}

constexpr std::array keys{
    Key{"events", "a list of exec, fork and exit", is_list, store_events},
    Key{"min_duration", "a number of microseconds", is_span, store_min_duration},
    Key{"uid", "a number", is_number<std::uint32_t>, store<&Filter::uid, std::uint32_t>},
    Key{"comm", "a text", is_text, store<&Filter::comm, std::string>},
    Key{"unit", "a text", is_text, store<&Filter::unit, std::string>},
    Key{"cgroup", "a text", is_text, store<&Filter::cgroup, std::string>},
    Key{"pid", "a number", is_number<std::int32_t>, store<&Filter::pid, std::int32_t>},
    Key{"failed", "true or false", is_flag, store<&Filter::failed, bool>},
    Key{"cwd", "true or false", is_flag, store<&Filter::cwd, bool>},
};

std::string names_of_keys() {
    std::string names;
    for (const Key& key : keys) {
        names += formatted("{}{}", names.empty() ? "" : ", ", key.name);
    }
    return names;
}

std::string echo(std::string_view text) {
    constexpr std::size_t longest = 64;
    return printable(text.substr(0, longest));
}

Result<> read_key(Filter& filter, std::string_view name, const json& value) {
    const auto* const key = std::ranges::find(keys, name, &Key::name);
    if (key == keys.end()) {
        return fail(ErrorCode::invalid, "unknown key \"{}\"; known are {}", echo(name), names_of_keys());
    }
    if (!key->fits(value)) {
        return fail(ErrorCode::invalid, "\"{}\" must be {}", name, key->type);
    }
    return key->read(filter, value);
}

/// A name that can be that of a control group's folder.
Result<> check_unit(std::string_view unit) {
    // One that is cut by the kernel side could be taken for another.
    constexpr std::size_t longest = EGB_TRACE_UNIT - 2;
    if (unit.size() > longest || unit.contains('/') || unit.contains('\0')) {
        return fail(ErrorCode::invalid, "\"unit\" must be a name of at most {} bytes without a slash",
                    longest);
    }
    return {};
}

Result<> check_comm(std::string_view comm) {
    constexpr std::size_t longest = EGB_TRACE_COMM - 1;
    if (comm.size() > longest || comm.contains('\0')) {
        return fail(ErrorCode::invalid,
                    R"("comm" must be a name of at most {} bytes, as the kernel keeps it: "{}")", longest,
                    echo(comm.substr(0, longest)));
    }
    return {};
}

Result<> check_what_happens(const Filter& filter) {
    if (!filter.exec && !filter.fork && !filter.exit) {
        return fail(ErrorCode::invalid, "\"events\" must name at least one of exec, fork and exit");
    }
    if (filter.only_ends() && !filter.exit) {
        return fail(ErrorCode::invalid, "only an exit has failed or has a duration, and \"events\" does not "
                                        "name it");
    }
    return {};
}

} // namespace

Result<> set_events(Filter& filter, std::span<const std::string> names) {
    filter.exec = filter.fork = filter.exit = false;
    for (const auto& name : names) {
        if (name == "exec") {
            filter.exec = true;
        } else if (name == "fork") {
            filter.fork = true;
        } else if (name == "exit") {
            filter.exit = true;
        } else {
            return fail(ErrorCode::invalid, "there is no event \"{}\"; there are exec, fork and exit",
                        echo(name));
        }
    }
    return {};
}

Result<> check(const Filter& filter) {
    if (filter.pid && *filter.pid < 1) {
        return fail(ErrorCode::invalid, "\"pid\" must be at least 1");
    }
    if (filter.min_duration < Span::zero()) {
        return fail(ErrorCode::invalid, "\"min_duration\" must not be negative");
    }
    return check_what_happens(filter)
        .and_then([&filter] {
            return check_comm(filter.comm);
        })
        .and_then([&filter] {
            return check_unit(filter.unit);
        });
}

Result<Filter> parse_filter(std::string_view text) {
    if (text.size() > longest_filter) {
        return fail(ErrorCode::invalid, "a filter has at most {} bytes", longest_filter);
    }
    const auto object = json::parse(text, nullptr, false);
    if (!object.is_object()) {
        return fail(ErrorCode::invalid, "a filter is a JSON object");
    }
    Filter filter;
    for (const auto& [name, value] : object.items()) {
        if (auto read = read_key(filter, name, value); !read) {
            return std::unexpected(read.error());
        }
    }
    return check(filter).transform([&filter] {
        return filter;
    });
}

} // namespace egb::trace
