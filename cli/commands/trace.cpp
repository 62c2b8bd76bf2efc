// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/time_span.hpp"
#include "options.hpp"
#include "trace_columns.hpp"
#include "trace_count.hpp"
#include "trace_event.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace egb::cli {

namespace {

constexpr std::size_t top_executables = 20;
/// To the upper left corner, and nothing below it.
constexpr std::string_view clear_screen = "\x1b[H\x1b[2J";

struct TraceOptions {
    TraceFilter filter;
    std::vector<const TraceColumn*> columns; ///< empty: the usual ones
    bool tree{};
    bool count{};
    std::optional<Span> span;
};

/// Milliseconds when it is a bare number.
Result<Span> parse_duration(const std::string& text) {
    if (const auto number = parse_number<std::uint32_t>(text)) {
        return std::chrono::milliseconds{*number};
    }
    return parse_span(text);
}

Json to_json(const TraceCount& count, Span span) {
    auto executables = Json::array();
    for (const auto& executable : count.top(top_executables)) {
        executables.push_back({{"exe", executable.name},
                               {"started", executable.started},
                               {"failed", executable.failed},
                               {"short_lived", executable.short_lived},
                               {"most_a_second", executable.most_a_second},
                               {"storm", executable.is_storm()}});
    }
    const auto& totals = count.totals();
    return {{"executables", std::move(executables)},
            {"exec", totals.exec},
            {"fork", totals.fork},
            {"exit", totals.exit},
            {"failed", totals.failed},
            {"lost_by_reader", totals.lost_by_reader},
            {"lost_in_kernel", totals.lost_in_kernel},
            {"duration_usec", usec_of(span)}};
}

std::vector<const TraceColumn*> columns_of(const TraceOptions& options) {
    if (!options.columns.empty()) {
        return options.columns;
    }
    std::vector<std::string_view> more;
    if (options.filter.cwd) {
        more.emplace_back("cwd");
    }
    return usual_trace_columns(more);
}

/// One run, from the first line to the totals.
class Tracing {
public:
    Tracing(const TraceOptions& options, Context& context)
        : options_{options},
          context_{context},
          table_{columns_of(options), context.layout(), options.tree ? Shape::tree : Shape::flat} {}

    [[nodiscard]] Client::TraceHooks hooks() {
        Client::TraceHooks hooks{.on_line =
                                     [this](std::string_view line) {
                                         take(line);
                                     },
                                 .on_pause =
                                     [this] {
                                         context_.out() << std::flush;
                                     },
                                 .on_refresh = {}};
        if (options_.count && context_.writes_to_person() && !context_.options().json) {
            hooks.on_refresh = [this] {
                context_.out() << clear_screen;
                print_count();
                context_.out() << std::flush;
            };
        }
        return hooks;
    }

    void finish() {
        if (options_.count && context_.options().json) {
            context_.print(to_json(count_, span()));
        } else if (options_.count) {
            print_count();
        } else if (!passes_on()) {
            context_.note(account(count_.totals(), span()));
        }
    }

private:
    [[nodiscard]] Span span() const { return std::chrono::steady_clock::now() - begun_; }

    /// Programs read the stream as it is. To read it here, too, would cost more than all the rest.
    [[nodiscard]] bool passes_on() const { return context_.options().json && !options_.count; }

    void take(std::string_view line) {
        if (passes_on()) {
            context_.out() << line << '\n';
            return;
        }
        const auto event = read_trace_event(line);
        if (!event) {
            return;
        }
        if (event->type == TraceEvent::Type::watching) {
            begun_ = std::chrono::steady_clock::now();
        }
        count_.add(*event);
        if (!options_.count) {
            show(*event);
        }
    }

    void show(const TraceEvent& event) {
        switch (event.type) {
        case TraceEvent::Type::watching:
            context_.note("Watching; Ctrl-C ends it.");
            context_.out() << table_.heading();
            break;
        case TraceEvent::Type::lost:
            context_.out() << std::flush; // what came before
            context_.note(formatted("{} events were lost {}.", event.count,
                                    event.in_kernel ? "in the kernel" : "here: they came too fast to show"));
            break;
        case TraceEvent::Type::other:
            break;
        default:
            context_.out() << table_.row(event);
        }
    }

    void print_count() {
        const auto executables = count_.top(top_executables);
        if (!executables.empty()) {
            context_.print(count_table(executables));
            context_.legend("");
        }
        context_.legend(account(count_.totals(), span()));
    }

    const TraceOptions& options_;
    Context& context_;
    TraceTable table_;
    TraceCount count_;
    std::chrono::steady_clock::time_point begun_{std::chrono::steady_clock::now()}; ///< to watch
};

ExitCode trace(const TraceOptions& options, Context& context) {
    Tracing tracing{options, context};
    const auto hooks = tracing.hooks();
    const auto done = context.daemon().and_then([&](Client* client) {
        return client->trace(options.filter, options.span, hooks);
    });
    if (!done) {
        return context.fail(done.error());
    }
    tracing.finish();
    return ExitCode::ok;
}

void add_trace_filter(CLI::App& app, TraceFilter& filter) {
    const std::initializer_list<CLI::Option*> options{
        add_read(app,
                 {"-d,--min-duration", "MS",
                  "Only ends of processes that lived so long: milliseconds, or a span such as 2s"},
                 [&filter](const std::string& text) {
                     return parse_duration(text).transform([&filter](Span span) {
                         filter.min_duration = span;
                     });
                 }),
        add_number(app, {"--uid", "UID", "Only processes of this user"}, filter.uid),
        add_text(app, {"--comm", "NAME", "Only processes of this name, all of it"}, filter.command),
        add_text(app, {"--unit", "UNIT", "Only processes of this systemd unit"}, filter.unit),
        add_text(app, {"--cgroup", "PATH", "Only processes in this control group or below, by path or id"},
                 filter.cgroup),
        add_number(app, {"-p,--pid", "PID", "Only this process and its descendants"}, filter.pid),
        add_flag(app, {"--failed", "", "Only ends with a status other than 0, or by a signal"},
                 filter.failed),
        add_flag(app, {"--fork", "", "Forks too, not only what runs a program and what ends"}, filter.fork),
    };
    for (auto* const option : options) {
        option->group("Filters");
    }
}

void check(const TraceOptions& options) {
    if (options.count && (options.tree || !options.columns.empty())) {
        throw CLI::ValidationError("--count", "has a table of its own, without --tree and --columns");
    }
}

} // namespace

Action declare_trace(CLI::App& app) {
    const auto options = std::make_shared<TraceOptions>();
    add_flag(app, {"--cwd", "", "The working directory too"}, options->filter.cwd);
    add_flag(app, {"--tree", "", "Indent each process below the one that started it"}, options->tree);
    add_read(app,
             {"--columns", "LIST",
              formatted("These columns, separated by commas, of: {}", names_of_trace_columns())},
             [options](const std::string& text) {
                 return read_trace_columns(text).transform([&options](auto columns) {
                     options->columns = std::move(columns);
                 });
             });
    add_flag(app, {"--count", "", "Only what it comes to: how often each executable was started, and failed"},
             options->count);
    add_read(app, {"--for", "SPAN", "End after so long"}, [options](const std::string& text) {
        return parse_span(text).transform([&options](Span span) {
            options->span = span;
        });
    });
    add_trace_filter(app, options->filter);
    app.parse_complete_callback([options] {
        check(*options);
    });
    return [options](Context& context) {
        return trace(*options, context);
    };
}

} // namespace egb::cli
