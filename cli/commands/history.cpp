// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "ghost_table.hpp"
#include "json.hpp"
#include "options.hpp"
#include "text.hpp"

#include <memory>
#include <optional>
#include <string>

namespace egb::cli {

namespace {

constexpr std::uint32_t usual_lines = 50;
constexpr std::uint32_t most_lines = 1000;

struct HistoryOptions {
    HistoryFilter filter;
    std::uint32_t lines{usual_lines};
};

Result<std::uint32_t> parse_lines(const std::string& text) {
    const auto lines = parse_number<std::uint32_t>(text);
    if (!lines || *lines == 0 || *lines > most_lines) {
        return fail(ErrorCode::invalid, "expected a number from 1 to {}, not \"{}\"", most_lines, text);
    }
    return lines;
}

void add_moment(CLI::App& app, const OptionText& text, std::optional<WallTime>& target) {
    add_read(app, text, [&target](const std::string& value) {
        return parse_moment(value, wall_now()).transform([&target](WallTime at) {
            target = at;
        });
    });
}

/// What happened, why, and through whom, in one cell.
std::string account(const IncidentRow& incident) {
    std::string text = incident.summary;
    if (!incident.reason.empty()) {
        text += (text.empty() ? "" : ": ") + incident.reason;
    }
    return incident.actor.empty() ? text : formatted("{} (by {})", text, incident.actor);
}

void print(const std::vector<IncidentRow>& incidents, Context& context) {
    Table table{{{"TIME"},
                 {"GHOST", Align::right},
                 {"KIND"},
                 {"GRADE"},
                 {"WHAT"},
                 {"SUMMARY", Align::left, Fit::flexible}}};
    for (const auto& incident : incidents) {
        const auto& what = incident.verdict.empty() ? incident.type : incident.verdict;
        table.add({{short_stamp(incident.at)},
                   {std::to_string(incident.ghost)},
                   {incident.kind},
                   {incident.grade, style_of_grade(incident.grade)},
                   {what, incident.verdict.empty() ? Style::plain : style_of_verdict(incident.verdict)},
                   {account(incident)}});
    }
    if (table.rows() > 0) {
        context.print(table);
        context.legend("");
    }
}

ExitCode history(const HistoryOptions& options, Context& context) {
    const auto incidents = context.daemon().and_then([&](Client* client) {
        return client->history(options.filter, options.lines);
    });
    if (!incidents) {
        return context.fail(incidents.error());
    }
    if (context.options().json) {
        print_json("incidents", *incidents, context);
        return ExitCode::ok;
    }
    print(*incidents, context);
    const bool full = incidents->size() == options.lines;
    context.legend(formatted("{}, the newest first.{}", counted(incidents->size(), "incident"),
                             full ? " There may be more: --lines, --until" : ""));
    return ExitCode::ok;
}

} // namespace

Action declare_history(CLI::App& app) {
    const auto options = std::make_shared<HistoryOptions>();
    auto& filter = options->filter;
    add_read(app, {"-n,--lines", "N", formatted("At most so many; {} if not given", usual_lines)},
             [options](const std::string& text) {
                 return parse_lines(text).transform([&](std::uint32_t lines) {
                     options->lines = lines;
                 });
             });
    add_moment(app, {"-S,--since", "TIME", "Not before: \"2025-11-21 11:43\", today, yesterday, 2h"},
               filter.since);
    add_moment(app, {"-U,--until", "TIME", "Not after"}, filter.until);
    add_text(app, {"--kind", "KIND", "Only ghosts of this kind; `ghostctl kinds` lists them"}, filter.kind);
    add_choice(app, {"--type", "TYPE", "Only appeared, changed, pending, acted or vanished"},
               {"appeared", "changed", "pending", "acted", "vanished"}, filter.type);
    add_choice(app,
               {"--verdict", "VERDICT", "Only acts that ended so: cleaned, gone, refused, failed or asked"},
               {"cleaned", "gone", "refused", "failed", "asked"}, filter.verdict);
    add_number(app, {"--ghost", "ID", "Only this ghost, whether or not it is still there"}, filter.ghost);
    return [options](Context& context) {
        return history(*options, context);
    };
}

} // namespace egb::cli
