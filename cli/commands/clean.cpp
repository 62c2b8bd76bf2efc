// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "ghost_table.hpp"
#include "json.hpp"
#include "options.hpp"
#include "selection.hpp"
#include "text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace egb::cli {

namespace {

struct CleanOptions {
    Selection selection;
    bool suspected{};
    bool dry_run{};
};

bool succeeded(const OutcomeRow& outcome) {
    return outcome.verdict == "cleaned" || outcome.verdict == "gone" || outcome.verdict == "asked";
}

/// All well, all refused, or something in between.
ExitCode code_of(const std::vector<OutcomeRow>& outcomes) {
    if (std::ranges::all_of(outcomes, succeeded)) {
        return ExitCode::ok;
    }
    const auto refused = [](const OutcomeRow& outcome) {
        return outcome.verdict == "refused";
    };
    return std::ranges::all_of(outcomes, refused) ? ExitCode::refused : ExitCode::partly;
}

void print(const std::vector<OutcomeRow>& outcomes, Context& context) {
    Table table{{{"ID", Align::right}, {"VERDICT"}, {"REASON", Align::left, Fit::flexible}}};
    for (const auto& outcome : outcomes) {
        if (!context.options().quiet || !succeeded(outcome)) {
            table.add({{std::to_string(outcome.id)},
                       {outcome.verdict, style_of_verdict(outcome.verdict)},
                       {outcome.reason}});
        }
    }
    if (table.rows() > 0) {
        context.print(table);
    }
    const auto cleaned = std::ranges::count(outcomes, "cleaned", &OutcomeRow::verdict);
    context.legend(formatted("{}{} of {} cleaned.", table.rows() > 0 ? "\n" : "", cleaned,
                             counted(outcomes.size(), "ghost")));
}

ExitCode clean(const CleanOptions& options, Client& client, Context& context) {
    const auto least = options.suspected ? Client::Least::suspected : Client::Least::proven;
    const auto outcomes =
        select(options.selection, "Clean", client, context).and_then([&](const std::vector<GhostId>& ids) {
            return client.clean(ids, least);
        });
    if (!outcomes) {
        return context.fail(outcomes.error());
    }
    if (context.options().json) {
        print_json("outcomes", *outcomes, context);
    } else {
        print(*outcomes, context);
    }
    return code_of(*outcomes);
}

/// What would come of it, as far as can be known before the last look at the kernel.
struct Forecast {
    GhostId id{};
    std::string kind;
    std::string grade;
    std::string would; ///< clean or refuse
    std::string policy;
    std::string reason;
};

Forecast forecast(GhostId id, const Json& ghost, bool suspected) {
    const auto decision = ghost.value("decision", Json::object());
    const auto grade = ghost.value("grade", "");
    const bool tried = suspected || grade == "proven";
    return {.id = id,
            .kind = ghost.value("kind", ""),
            .grade = grade,
            .would = tried ? "clean" : "refuse",
            .policy = decision.value("action", ""),
            .reason = tried ? decision.value("reason", "")
                            : "it is only suspected; --suspected cleans it all the same"};
}

void print(const std::vector<Forecast>& forecasts, Context& context) {
    Table table{{{"ID", Align::right},
                 {"KIND"},
                 {"GRADE"},
                 {"WOULD"},
                 {"POLICY"},
                 {"REASON", Align::left, Fit::flexible}}};
    for (const auto& one : forecasts) {
        table.add({{std::to_string(one.id)},
                   {one.kind},
                   {one.grade, style_of_grade(one.grade)},
                   {one.would},
                   {one.policy},
                   {one.reason}});
    }
    if (table.rows() > 0) {
        context.print(table);
        context.legend("");
    }
    const auto cleaned = std::ranges::count(forecasts, "clean", &Forecast::would);
    context.legend(
        formatted("{} of {} would be cleaned, if a last look confirms what is known now. Nothing was done.",
                  cleaned, counted(forecasts.size(), "ghost")));
}

Json to_json(const Forecast& one) {
    return {{"id", one.id},       {"kind", one.kind},     {"grade", one.grade},
            {"would", one.would}, {"action", one.policy}, {"reason", one.reason}};
}

ExitCode dry_run(const CleanOptions& options, Client& client, Context& context) {
    const auto ids = select_quietly(options.selection, client);
    if (!ids) {
        return context.fail(ids.error());
    }
    auto code = ExitCode::ok;
    std::vector<Forecast> forecasts;
    for (const auto id : *ids) {
        if (const auto ghost = client.describe(id)) {
            forecasts.push_back(forecast(id, *ghost, options.suspected));
        } else {
            code = context.fail(ghost.error());
        }
    }
    if (context.options().json) {
        auto all = Json::array();
        std::ranges::transform(forecasts, std::back_inserter(all), [](const Forecast& one) {
            return to_json(one);
        });
        context.print(Json{{"forecasts", all}});
    } else {
        print(forecasts, context);
    }
    return code;
}

} // namespace

Action declare_clean(CLI::App& app) {
    const auto options = std::make_shared<CleanOptions>();
    add_flag(app, {"-s,--suspected", "", "Clean what is only suspected too; you answer for it"},
             options->suspected);
    add_flag(app, {"-n,--dry-run", "", "Say what would be done, and do nothing"}, options->dry_run);
    add_selection(app, options->selection);
    return [options](Context& context) {
        const auto daemon = context.daemon();
        if (!daemon) {
            return context.fail(daemon.error());
        }
        return options->dry_run ? dry_run(*options, **daemon, context) : clean(*options, **daemon, context);
    };
}

} // namespace egb::cli
