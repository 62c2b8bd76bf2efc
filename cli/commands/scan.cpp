// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "json.hpp"
#include "options.hpp"
#include "text.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

namespace egb::cli {

namespace {

ExitCode scan(const std::vector<std::string>& kinds, Context& context) {
    const auto ghosts = context.daemon().and_then([&](Client* client) {
        return client->scan(kinds);
    });
    if (!ghosts) {
        return context.fail(ghosts.error());
    }
    if (context.options().json) {
        print_json({{"kinds", kinds}, {"ghosts", *ghosts}}, context);
    } else {
        context.tell(formatted("Looked at everything: there {} {} now.", *ghosts == 1 ? "is" : "are",
                               counted(*ghosts, "ghost")));
    }
    return ExitCode::ok;
}

} // namespace

Action declare_scan(CLI::App& app) {
    const auto kinds = std::make_shared<std::vector<std::string>>();
    app.add_option("KIND", *kinds, "The kinds to look for; all of them if none is named")
        ->option_text("KIND...");
    return [kinds](Context& context) {
        return scan(*kinds, context);
    };
}

} // namespace egb::cli
