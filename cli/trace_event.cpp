// SPDX-License-Identifier: Apache-2.0
#include "trace_event.hpp"

#include "model.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <concepts>
#include <utility>

namespace egb::cli {

namespace {

const Json* member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

void take(const Json& object, const char* name, std::string& text) {
    if (const auto* value = member(object, name); value != nullptr && value->is_string()) {
        text = value->get<std::string>();
    }
}

void take(const Json& object, const char* name, std::integral auto& number) {
    if (const auto* value = member(object, name); value != nullptr && value->is_number_integer()) {
        number = value->get<std::remove_reference_t<decltype(number)>>();
    }
}

void take(const Json& object, const char* name, bool& flag) {
    if (const auto* value = member(object, name); value != nullptr && value->is_boolean()) {
        flag = value->get<bool>();
    }
}

void take(const Json& object, const char* name, std::vector<std::string>& texts) {
    const auto* list = member(object, name);
    if (list == nullptr || !list->is_array()) {
        return;
    }
    for (const auto& entry : *list) {
        if (entry.is_string()) {
            texts.push_back(entry.get<std::string>());
        }
    }
}

TraceEvent::Type type_of(std::string_view name) {
    using enum TraceEvent::Type;
    for (const auto type : {watching, exec, fork, exit, lost}) {
        if (name == word(type)) {
            return type;
        }
    }
    return other;
}

void take_namespaces(const Json& object, TraceEvent& event) {
    if (const auto* namespaces = member(object, "namespaces"); namespaces != nullptr) {
        take(*namespaces, "pid", event.pid_namespace);
        take(*namespaces, "mnt", event.mount_namespace);
        take(*namespaces, "net", event.net_namespace);
    }
}

void take_end(const Json& object, TraceEvent& event) {
    std::int64_t usec = 0;
    take(object, "status", event.status);
    take(object, "signal", event.signal);
    take(object, "core", event.core);
    take(object, "duration_usec", usec);
    take(object, "peak_rss_bytes", event.peak_rss_bytes);
    event.lived = std::chrono::microseconds{usec};
}

void take_loss(const Json& object, TraceEvent& event) {
    std::string where;
    take(object, "count", event.count);
    take(object, "where", where);
    event.in_kernel = where == "kernel";
}

} // namespace

std::string_view word(TraceEvent::Type type) {
    switch (type) {
    case TraceEvent::Type::watching:
        return "watching";
    case TraceEvent::Type::exec:
        return "exec";
    case TraceEvent::Type::fork:
        return "fork";
    case TraceEvent::Type::exit:
        return "exit";
    case TraceEvent::Type::lost:
        return "lost";
    case TraceEvent::Type::other:
        return "other";
    }
    std::unreachable();
}

bool has_failed(const TraceEvent& event) {
    return event.type == TraceEvent::Type::exit && (event.status != 0 || !event.signal.empty());
}

std::optional<TraceEvent> read_trace_event(std::string_view line) {
    const auto object = Json::parse(line, nullptr, false);
    if (!object.is_object()) {
        return std::nullopt;
    }
    TraceEvent event;
    std::string type;
    std::int64_t usec = 0;
    take(object, "event", type);
    take(object, "time", usec);
    event.type = type_of(type);
    event.at = WallTime{std::chrono::microseconds{usec}};
    take(object, "pid", event.pid);
    take(object, "ppid", event.parent);
    take(object, "uid", event.uid);
    take(object, "comm", event.command);
    take(object, "exe", event.exe);
    take(object, "args", event.args);
    take(object, "args_cut", event.args_cut);
    take(object, "cwd", event.cwd);
    take(object, "unit", event.unit);
    take(object, "container", event.container);
    take(object, "cgroup", event.cgroup);
    take(object, "start", event.start);
    take_namespaces(object, event);
    take_end(object, event);
    take_loss(object, event);
    return event;
}

} // namespace egb::cli
