// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/time_span.hpp"
#include "core/utf8.hpp"
#include "json.hpp"
#include "kind_state.hpp"
#include "text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace egb::cli {

namespace {

struct Overview {
    ManagerView manager;
    std::vector<KindView> kinds;
};

Answer<Overview> ask(Client& client) {
    return client.manager().and_then([&client](const ManagerView& manager) {
        return kinds_of(client, manager.kinds).transform([&manager](const std::vector<KindView>& kinds) {
            return Overview{manager, kinds};
        });
    });
}

Json to_json(const Overview& overview, const std::string& client_version) {
    auto json = cli::to_json(overview.manager);
    json["state"] = state_of(overview.manager, overview.kinds).word;
    json["client_version"] = client_version;
    auto kinds = Json::array();
    for (const auto& kind : overview.kinds) {
        auto entry = cli::to_json(kind);
        entry["state"] = state_of(kind).word;
        kinds.push_back(std::move(entry));
    }
    json["kinds"] = std::move(kinds);
    return json;
}

std::uint64_t sum(const std::vector<KindView>& kinds, std::uint64_t KindView::* member) {
    std::uint64_t total = 0;
    for (const auto& kind : kinds) {
        total += kind.*member;
    }
    return total;
}

std::string acting(const ManagerView& manager) {
    if (manager.dry_run) {
        return "no (dry run: everything is checked, nothing is touched)";
    }
    return manager.paused ? "no (paused until `ghostctl resume`)" : "as the policy of each kind says";
}

std::string sweep(const KindView& kind, WallTime now) {
    if (!kind.last_sweep) {
        return "not yet";
    }
    const bool at_once = kind.last_sweep_took < std::chrono::milliseconds{1};
    return formatted("{}, took {}", relative(*kind.last_sweep, now),
                     at_once ? "less than 1ms" : age(kind.last_sweep_took));
}

std::string policy(const KindView& kind) {
    if (kind.reach == "reports" || kind.clean == "never") {
        return "reports only";
    }
    return formatted("cleans {} after {}", kind.clean, format_span(kind.veto));
}

void print_head(const Overview& overview, Context& context) {
    const auto& manager = overview.manager;
    const auto state = state_of(manager, overview.kinds);
    const auto line = [&context](std::string_view label, const std::string& value) {
        context.out() << formatted("{:>9}: {}\n", label, value);
    };
    context.out() << context.paint(state.style, glyph(Mark::dot, context.charset())) << ' '
                  << context.paint(Style::strong, "eghostbusterd " + printable(manager.version)) << '\n';
    line("State", context.paint(state.style, state.word));
    line("Since", formatted("{}; {}", stamp(manager.started), relative(manager.started, wall_now())));
    line("Ghosts",
         formatted("{} ({} proven, {} suspected)", manager.ghosts, sum(overview.kinds, &KindView::proven),
                   sum(overview.kinds, &KindView::suspected)));
    line("Acts", acting(manager));
    for (const auto& trouble : manager.troubles) {
        line("Trouble", context.paint(Style::bad, printable(trouble)));
    }
    for (const auto& kind : overview.kinds) {
        if (!kind.trouble.empty()) {
            line("Trouble",
                 context.paint(Style::bad, printable(formatted("{}: {}", kind.name, kind.trouble))));
        }
    }
}

void print_kinds(const std::vector<KindView>& kinds, Context& context) {
    Table table{{{"KIND"},
                 {"STATE"},
                 {"TRACKED", Align::right},
                 {"SUSPECTED", Align::right},
                 {"PROVEN", Align::right},
                 {"LOST", Align::right},
                 {"LAST SWEEP", Align::left, Fit::flexible},
                 {"POLICY", Align::left, Fit::flexible}}};
    const auto now = wall_now();
    for (const auto& kind : kinds) {
        const auto state = state_of(kind);
        table.add({{kind.name},
                   {std::string{state.word}, state.style},
                   {std::to_string(kind.tracked)},
                   {std::to_string(kind.suspected), kind.suspected > 0 ? Style::warning : Style::plain},
                   {std::to_string(kind.proven), kind.proven > 0 ? Style::bad : Style::plain},
                   {std::to_string(kind.lost_events), kind.lost_events > 0 ? Style::warning : Style::plain},
                   {sweep(kind, now)},
                   {policy(kind)}});
    }
    context.out() << '\n';
    context.print(table);
}

/// The most useful thing to do next; empty when there is nothing to do.
std::string_view next_step(const Overview& overview) {
    const auto troubled = [](const KindView& kind) {
        return !kind.trouble.empty();
    };
    if (!overview.manager.troubles.empty() || std::ranges::any_of(overview.kinds, troubled)) {
        return "`ghostctl doctor` says what does not work and why; journalctl -u eghostbuster has the rest.";
    }
    if (overview.manager.paused) {
        return "`ghostctl resume` lets it act again.";
    }
    if (overview.manager.ghosts > 0) {
        return "`ghostctl list` shows the ghosts, `ghostctl explain ID` why one is held to be a ghost.";
    }
    return "";
}

ExitCode status(Context& context) {
    const auto overview = context.daemon().and_then([](Client* client) {
        return ask(*client);
    });
    if (!overview) {
        return context.fail(overview.error());
    }
    if (context.options().json) {
        context.print(to_json(*overview, context.version()));
        return ExitCode::ok;
    }
    if (context.options().quiet) {
        context.out() << state_of(overview->manager, overview->kinds).word << '\n';
        return ExitCode::ok;
    }
    print_head(*overview, context);
    if (!overview->kinds.empty()) {
        print_kinds(overview->kinds, context);
    }
    if (const auto next = next_step(*overview); !next.empty()) {
        context.legend(formatted("\n{}", next));
    }
    return ExitCode::ok;
}

} // namespace

Action declare_status(CLI::App& /*app*/) {
    return status;
}

} // namespace egb::cli
