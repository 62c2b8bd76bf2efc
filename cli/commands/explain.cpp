// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "json.hpp"
#include "options.hpp"
#include "text.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace egb::cli {

namespace {

void print(const std::string& text, Context& context) {
    const auto shown = printable_lines(text);
    context.out() << shown << (shown.ends_with('\n') ? "" : "\n");
}

ExitCode explain(const std::vector<GhostId>& ids, Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) {
        return context.fail(daemon.error());
    }
    auto code = ExitCode::ok;
    std::vector<Explanation> all;
    bool first = true;
    for (const auto id : ids) {
        const auto text = (*daemon)->explain(id);
        if (!text) {
            code = context.fail(text.error());
            continue;
        }
        if (context.options().json) {
            all.push_back({.id = id, .text = *text});
            continue;
        }
        context.out() << (first ? "" : "\n");
        first = false;
        print(*text, context);
    }
    if (context.options().json) {
        print_json("explanations", all, context);
    }
    return code;
}

} // namespace

Action declare_explain(CLI::App& app) {
    const auto ids = std::make_shared<std::vector<GhostId>>();
    add_ids(app, *ids)->required();
    return [ids](Context& context) {
        return explain(*ids, context);
    };
}

} // namespace egb::cli
