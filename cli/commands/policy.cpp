// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/utf8.hpp"
#include "json.hpp"
#include "kind_state.hpp"
#include "options.hpp"
#include "text.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace egb::cli {

namespace {

struct PolicyOptions {
    std::vector<std::string> shown; ///< kinds; empty: all
    std::string kind;
    std::vector<std::string> assignments;
    bool persistent{};
};

Answer<std::vector<KindView>> ask(Client& client, const std::vector<std::string>& names) {
    if (!names.empty()) {
        return kinds_of(client, names);
    }
    return client.manager().and_then([&client](const ManagerView& manager) {
        return kinds_of(client, manager.kinds);
    });
}

std::string value_of(const KindView& kind, const OptionRow& option) {
    const auto found = kind.options.find(option.name);
    return found == kind.options.end() ? option.preset : found->second;
}

Json policy_json(const KindView& kind) {
    auto options = Json::array();
    for (const auto& option : kind.option_table) {
        auto entry = to_json(option);
        entry["value"] = value_of(kind, option);
        options.push_back(std::move(entry));
    }
    return {{"kind", kind.name}, {"options", std::move(options)}};
}

/// As it would stand in the configuration file.
void print_section(const KindView& kind, Context& context) {
    context.out() << formatted("[{}]\n", kind.name);
    for (const auto& option : kind.option_table) {
        context.out() << printable(formatted("{}={}", option.name, value_of(kind, option))) << '\n';
    }
}

void print_table(const std::vector<KindView>& kinds, Context& context) {
    Table table{{{"KIND"},
                 {"NAME"},
                 {"VALUE", Align::left, Fit::flexible},
                 {"DEFAULT", Align::left, Fit::flexible},
                 {"TYPE", Align::left, Fit::flexible},
                 {"MEANING", Align::left, Fit::flexible}}};
    for (const auto& kind : kinds) {
        for (const auto& option : kind.option_table) {
            const auto value = value_of(kind, option);
            table.add({{kind.name},
                       {option.name},
                       {value, value == option.preset ? Style::plain : Style::strong},
                       {option.preset},
                       {option.type},
                       {option.help}});
        }
    }
    context.print(table);
    context.legend("\nChange it with: ghostctl policy set KIND NAME=VALUE [--persistent]");
}

ExitCode show(const std::vector<std::string>& names, Context& context) {
    const auto kinds = context.daemon().and_then([&](Client* client) {
        return ask(*client, names);
    });
    if (!kinds) {
        return context.fail(kinds.error());
    }
    if (context.options().json) {
        auto all = Json::array();
        std::ranges::transform(*kinds, std::back_inserter(all), policy_json);
        context.print(Json{{"policies", all}});
    } else if (context.options().quiet) {
        std::ranges::for_each(*kinds, [&](const KindView& kind) {
            print_section(kind, context);
        });
    } else {
        print_table(*kinds, context);
    }
    return ExitCode::ok;
}

/// NAME=VALUE, each name once; the parser has seen to both.
std::map<std::string, std::string> values_of(const std::vector<std::string>& assignments) {
    std::map<std::string, std::string> values;
    for (const auto& assignment : assignments) {
        const auto sign = assignment.find('=');
        values.emplace(assignment.substr(0, sign), assignment.substr(sign + 1));
    }
    return values;
}

void check(const std::vector<std::string>& assignments) {
    std::map<std::string, std::string> seen;
    for (const auto& assignment : assignments) {
        const auto sign = assignment.find('=');
        if (sign == 0 || sign == std::string::npos) {
            throw CLI::ValidationError(
                "NAME=VALUE", formatted("expected something like Clean=never, not \"{}\"", assignment));
        }
        if (!seen.emplace(assignment.substr(0, sign), "").second) {
            throw CLI::ValidationError("NAME=VALUE",
                                       formatted("\"{}\" is set twice", assignment.substr(0, sign)));
        }
    }
}

ExitCode set(const PolicyOptions& options, Context& context) {
    using enum Client::Lifetime;
    const auto values = values_of(options.assignments);
    const auto done = context.daemon().and_then([&](Client* client) {
        return client->set_policy(options.kind, values, options.persistent ? persistent : until_reload);
    });
    if (!done) {
        return context.fail(done.error());
    }
    if (context.options().json) {
        context.print(Json{{"kind", options.kind}, {"set", values}, {"persistent", options.persistent}});
    } else {
        context.tell(
            formatted("{} set for {}, {}.", counted(values.size(), "option"), printable(options.kind),
                      options.persistent ? "for good"
                                         : "until the daemon reloads or restarts (--persistent keeps it)"));
    }
    return ExitCode::ok;
}

} // namespace

Action declare_policy(CLI::App& app) {
    const auto options = std::make_shared<PolicyOptions>();
    app.require_subcommand(0, 1);
    auto* const shower = app.add_subcommand("show", "Names, values, defaults and meanings (the default)");
    shower->group("Verbs")->fallthrough();
    shower->add_option("KIND", options->shown, "The kinds; all if none is named")->option_text("KIND...");

    auto* const setter = app.add_subcommand("set", "Give options other values, all of them or none");
    setter->group("Verbs")->fallthrough();
    setter->add_option("KIND", options->kind, "The kind")->option_text("KIND")->required();
    setter->add_option("ASSIGNMENT", options->assignments, "As in the kind's section of eghostbuster.conf(5)")
        ->option_text("NAME=VALUE...")
        ->required();
    add_flag(*setter, {"-p,--persistent", "", "Keep it over reload and restart"}, options->persistent);
    setter->parse_complete_callback([options] {
        check(options->assignments);
    });

    return [options, setter](Context& context) {
        return setter->parsed() ? set(*options, context) : show(options->shown, context);
    };
}

} // namespace egb::cli
