// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/utf8.hpp"
#include "json.hpp"
#include "options.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <vector>

namespace egb::cli {

namespace {

ExitCode restore(const std::vector<GhostId>& ids, Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) {
        return context.fail(daemon.error());
    }
    auto code = ExitCode::ok;
    std::vector<Restored> all;
    for (const auto id : ids) {
        const auto path = (*daemon)->restore(id);
        if (!path) {
            code = context.fail(path.error());
            continue;
        }
        all.push_back({.id = id, .path = *path});
        if (!context.options().json) {
            context.tell(formatted("{} is back: {}", id, printable(*path)));
        }
    }
    if (context.options().json) {
        print_json("restored", all, context);
    }
    return code == ExitCode::ok || all.empty() ? code : ExitCode::partly;
}

} // namespace

Action declare_restore(CLI::App& app) {
    const auto ids = std::make_shared<std::vector<GhostId>>();
    add_ids(app, *ids)->required();
    return [ids](Context& context) {
        return restore(*ids, context);
    };
}

} // namespace egb::cli
