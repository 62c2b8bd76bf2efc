// SPDX-License-Identifier: Apache-2.0
#include "trace/event.hpp"

#include "core/format.hpp"
#include "host/kernel_names.hpp"
#include "host/process_lookup.hpp"
#include "trace/json_line.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <utility>

namespace egb::trace {

namespace {

constexpr std::string_view cut_beginning = "...";

/// All records have their text at the same distance from their beginning.
constexpr std::size_t text_at = sizeof(egb_trace_event);

std::string_view text_of(host::EventSource::Record record) {
    const auto text = record.subspan(text_at);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
}

/// Takes one name off the front; what is not ended by a NUL ends with the text.
std::string_view take_name(std::string_view& names) {
    const auto end = names.find('\0');
    const auto name = names.substr(0, end);
    names.remove_prefix(end == std::string_view::npos ? names.size() : end + 1);
    return name;
}

std::uint64_t page_bytes() {
    static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

std::string_view word(std::uint16_t type) {
    switch (type) {
    case EGB_TRACE_EXEC:
        return "exec";
    case EGB_TRACE_FORK:
        return "fork";
    default:
        return "exit";
    }
}

std::string_view comm_of(const egb_trace_event& head) {
    return {head.comm, ::strnlen(head.comm, sizeof(head.comm))};
}

bool has(const Event& event, unsigned flag) {
    return (event.head.flags & flag) != 0;
}

std::string whole_or_end(const Event& event, std::string_view names, unsigned cut) {
    const auto path = host::path_of_names(names);
    return has(event, cut) ? std::string{cut_beginning} + path : path;
}

void add_args(JsonLine& line, const Event& event) {
    line.open_list("args");
    for (auto rest = event.args; !rest.empty();) {
        line.entry(take_name(rest));
    }
    line.close_list();
    line.flag("args_cut", has(event, EGB_TRACE_ARGS_CUT));
}

void add_end(JsonLine& line, const egb_trace_event& head) {
    constexpr std::uint64_t ns_per_usec = 1'000;
    const End end = end_of(head.wait_status);
    if (end.status) {
        line.number("status", *end.status);
    } else {
        line.null("status");
    }
    line.text_or_null("signal", end.signal);
    line.flag("core", end.core);
    line.number("duration_usec", head.lived_ns / ns_per_usec);
    line.number("peak_rss_bytes", head.peak_rss_pages * page_bytes());
}

void add_path(JsonLine& line, std::string_view name, const std::optional<std::string>& path) {
    if (path) {
        line.text(name, *path);
    } else {
        line.null(name);
    }
}

void add_place(JsonLine& line, const egb_trace_event& head, const Setting& setting) {
    line.text("boot_id", setting.boot_id);
    line.number("start", host::ProcessLookup::ticks_of(head.start_boottime_ns));
    line.number("cgroup", head.cgroup);
    line.text_or_null("unit", setting.names.unit);
    line.text_or_null("container", setting.names.container);
    line.open("namespaces");
    line.number("pid", head.pid_ns);
    line.number("mnt", head.mnt_ns);
    line.number("net", head.net_ns);
    line.close();
}

} // namespace

std::optional<Event> read_event(host::EventSource::Record record) {
    Event event;
    if (record.size() < text_at) {
        return std::nullopt;
    }
    std::memcpy(&event.head, record.data(), sizeof(event.head));
    const auto& head = event.head;
    const auto text = text_of(record);
    const std::size_t wanted = std::size_t{head.args_bytes} + head.exe_bytes + head.cwd_bytes;
    if (head.header.type < EGB_TRACE_EXEC || head.header.type > EGB_TRACE_EXIT || wanted > text.size()) {
        return std::nullopt;
    }
    event.args = text.substr(0, head.args_bytes);
    event.exe = text.substr(head.args_bytes, head.exe_bytes);
    event.cwd = text.substr(std::size_t{head.args_bytes} + head.exe_bytes, head.cwd_bytes);
    return event;
}

std::optional<CgroupPath> read_cgroup(host::EventSource::Record record) {
    egb_trace_cgroup head{};
    if (record.size() < text_at) {
        return std::nullopt;
    }
    std::memcpy(&head, record.data(), sizeof(head));
    if (head.header.type != EGB_TRACE_CGROUP || head.header.size < text_at ||
        head.header.size > record.size()) {
        return std::nullopt;
    }
    return CgroupPath{.id = head.id, .names = text_of(record).substr(0, head.header.size - text_at)};
}

End end_of(std::int32_t wait_status) {
    if (!WIFSIGNALED(wait_status)) {
        return {.status = WEXITSTATUS(wait_status), .signal = {}, .core = false};
    }
    const int number = WTERMSIG(wait_status);
    const char* const name = ::sigabbrev_np(number);
    return {.status = std::nullopt,
            .signal = name == nullptr ? formatted("SIG{}", number) : formatted("SIG{}", name),
            .core = WCOREDUMP(wait_status) != 0};
}

std::string render(const Event& event, const Setting& setting, WithCwd with_cwd) {
    const auto& head = event.head;
    JsonLine line;
    line.text("event", word(head.header.type));
    line.number("time", setting.at.time_since_epoch().count());
    line.number("pid", head.pid);
    line.number("ppid", head.ppid);
    line.number("uid", head.uid);
    line.text("comm", comm_of(head));
    add_path(line, "exe",
             has(event, EGB_TRACE_HAS_EXE) ? std::optional{whole_or_end(event, event.exe, EGB_TRACE_EXE_CUT)}
                                           : std::nullopt);
    if (head.header.type == EGB_TRACE_EXEC) {
        add_args(line, event);
    }
    if (with_cwd == WithCwd::yes) {
        add_path(line, "cwd",
                 has(event, EGB_TRACE_HAS_CWD)
                     ? std::optional{whole_or_end(event, event.cwd, EGB_TRACE_CWD_CUT)}
                     : std::nullopt);
    }
    if (head.header.type == EGB_TRACE_EXIT) {
        add_end(line, head);
    }
    add_place(line, head, setting);
    return std::move(line).finish();
}

} // namespace egb::trace
