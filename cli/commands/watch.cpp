// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/time_span.hpp"
#include "core/utf8.hpp"
#include "ghost_table.hpp"
#include "options.hpp"
#include "text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace egb::cli {

namespace {

struct WatchOptions {
    std::string kind;
    std::optional<std::uint64_t> lines;
};

std::string_view word(EventType type) {
    switch (type) {
    case EventType::watching:
        return "watching";
    case EventType::appeared:
        return "appeared";
    case EventType::pending:
        return "pending";
    case EventType::cleaned:
        return "cleaned";
    case EventType::vanished:
        return "vanished";
    case EventType::changed:
        return "changed";
    case EventType::started:
        return "started";
    case EventType::stopped:
        return "stopped";
    }
    std::unreachable();
}

bool is_about_a_ghost(EventType type) {
    using enum EventType;
    return type == appeared || type == pending || type == cleaned || type == vanished;
}

Json to_json(const Event& event, WallTime at) {
    Json json{{"event", word(event.type)}, {"at", usec_of(at)}};
    if (event.type == EventType::changed) {
        json["kind"] = event.kind.empty() ? Json(nullptr) : Json(event.kind);
        json["properties"] = *event.properties;
    }
    if (!is_about_a_ghost(event.type)) {
        return json;
    }
    json["id"] = event.id;
    json["kind"] = event.kind;
    switch (event.type) {
    case EventType::appeared:
        json["grade"] = event.grade;
        json["summary"] = event.summary;
        break;
    case EventType::pending:
        json["summary"] = event.summary;
        json["until_act_usec"] = usec_of(event.until_act);
        break;
    case EventType::cleaned:
        json["verdict"] = event.verdict;
        json["reason"] = event.reason;
        break;
    default:
        json["reason"] = event.reason;
    }
    json["more"] = event.more;
    return json;
}

/// "Suspected=2 Proven=1"; lists are too long for a line.
std::string assignments(const Json& properties) {
    std::string text;
    for (const auto& [name, value] : properties.items()) {
        const auto shown = value.is_string()                      ? value.get<std::string>()
                           : value.is_array() && value.size() > 1 ? formatted("({} entries)", value.size())
                                                                  : value.dump();
        text += formatted("{}{}={}", text.empty() ? "" : " ", name, shown);
    }
    return text;
}

std::string account(const Event& event) {
    switch (event.type) {
    case EventType::appeared:
        return formatted("{}: {}", event.grade, event.summary);
    case EventType::pending:
        return formatted("will be acted upon in {} (to object: ghostctl hold {}): {}",
                         format_span(event.until_act), event.id, event.summary);
    case EventType::cleaned:
    case EventType::vanished:
        return event.reason;
    case EventType::changed:
        return assignments(*event.properties);
    case EventType::watching:
        return "until Ctrl-C";
    case EventType::started:
        return "the daemon is there";
    case EventType::stopped:
        return "the daemon is gone; waiting for it to come back";
    }
    std::unreachable();
}

Style style_of(const Event& event) {
    switch (event.type) {
    case EventType::appeared:
        return style_of_grade(event.grade);
    case EventType::pending:
    case EventType::stopped:
        return Style::warning;
    case EventType::cleaned:
        return style_of_verdict(event.verdict);
    case EventType::vanished:
    case EventType::started:
        return Style::good;
    case EventType::changed:
    case EventType::watching:
        return Style::faint;
    }
    std::unreachable();
}

class Watch {
public:
    Watch(const WatchOptions& options, Context& context) : options_{options}, context_{context} {}

    Flow operator()(const Event& event) {
        if (!options_.kind.empty() && event.kind != options_.kind &&
            (is_about_a_ghost(event.type) || event.type == EventType::changed)) {
            return Flow::on;
        }
        if (context_.options().json) {
            context_.print_line(to_json(event, wall_now()));
        } else if (event.type != EventType::watching) {
            print(event);
        } else {
            context_.note("Watching; Ctrl-C ends it.");
        }
        if (is_about_a_ghost(event.type)) {
            ++seen_;
        }
        return options_.lines && seen_ >= *options_.lines ? Flow::stop : Flow::on;
    }

private:
    /// --quiet leaves the ghosts and drops what is said about the daemon.
    void print(const Event& event) {
        if (context_.options().quiet && !is_about_a_ghost(event.type)) {
            return;
        }
        const auto what = event.verdict.empty() ? std::string{word(event.type)} : printable(event.verdict);
        const auto whom = event.kind.empty() ? "daemon" : printable(event.kind);
        const auto number = event.id > 0 ? std::to_string(event.id) : "-";
        context_.out() << clock_stamp(wall_now()) << ' '
                       << context_.paint(style_of(event), formatted("{:<9}", what)) << ' '
                       << formatted("{:<8} {:>6} ", whom, number) << printable(account(event));
        if (event.more > 0) {
            context_.out() << formatted(" (and {} more)", event.more);
        }
        context_.out() << '\n' << std::flush;
    }

    const WatchOptions& options_;
    Context& context_;
    std::uint64_t seen_{};
};

ExitCode watch(const WatchOptions& options, Context& context) {
    const auto done = context.daemon().and_then([&](Client* client) {
        Watch show{options, context};
        return client->watch([&show](const Event& event) {
            return show(event);
        });
    });
    return done ? ExitCode::ok : context.fail(done.error());
}

} // namespace

Action declare_watch(CLI::App& app) {
    const auto options = std::make_shared<WatchOptions>();
    add_text(app, {"--kind", "KIND", "Only ghosts of this kind; `ghostctl kinds` lists them"}, options->kind);
    add_number(app, {"-n,--lines", "N", "End after so many ghosts were told of"}, options->lines);
    return [options](Context& context) {
        return watch(*options, context);
    };
}

} // namespace egb::cli
