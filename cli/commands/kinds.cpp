// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "json.hpp"
#include "kind_state.hpp"
#include "text.hpp"

#include <ostream>
#include <string>

namespace egb::cli {

namespace {

void print(const std::vector<KindView>& kinds, Context& context) {
    Table table{{{"NAME"}, {"STATE"}, {"REACH"}, {"SUMMARY", Align::left, Fit::flexible}}};
    for (const auto& kind : kinds) {
        const auto state = state_of(kind);
        table.add({{kind.name}, {std::string{state.word}, state.style}, {kind.reach}, {kind.summary}});
    }
    context.print(table);
    context.legend(formatted("\n{} listed.", counted(kinds.size(), "kind")));
}

ExitCode list_kinds(Context& context) {
    const auto kinds = context.daemon().and_then([](Client* client) {
        return client->manager().and_then([client](const ManagerView& manager) {
            return kinds_of(*client, manager.kinds);
        });
    });
    if (!kinds) {
        return context.fail(kinds.error());
    }
    if (context.options().json) {
        print_json("kinds", *kinds, context);
    } else if (context.options().quiet) {
        for (const auto& kind : *kinds) {
            context.out() << kind.name << '\n';
        }
    } else {
        print(*kinds, context);
    }
    return ExitCode::ok;
}

} // namespace

Action declare_kinds(CLI::App& /*app*/) {
    return list_kinds;
}

} // namespace egb::cli
