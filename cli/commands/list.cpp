// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "ghost_table.hpp"
#include "json.hpp"
#include "options.hpp"
#include "text.hpp"

#include <format>
#include <memory>
#include <ostream>

namespace egb::cli {

namespace {

ExitCode list(const Filter& filter, Context& context) {
    const auto ghosts = context.daemon().and_then([&](Client* client) {
        return client->ghosts(filter);
    });
    if (!ghosts) {
        return context.fail(ghosts.error());
    }
    if (context.options().json) {
        context.print(Json{{"ghosts", to_json(*ghosts)}});
        return ExitCode::ok;
    }
    if (context.options().quiet) {
        for (const auto& ghost : *ghosts) {
            context.out() << ghost.id << '\n';
        }
        return ExitCode::ok;
    }
    if (!ghosts->empty()) {
        context.print(ghost_table(*ghosts, wall_now(), context.charset()));
        context.legend("");
    }
    context.legend(std::format("{} listed.", counted(ghosts->size(), "ghost")));
    return ExitCode::ok;
}

} // namespace

Action declare_list(CLI::App& app) {
    const auto filter = std::make_shared<Filter>();
    add_filter(app, *filter);
    return [filter](Context& context) {
        return list(*filter, context);
    };
}

} // namespace egb::cli
