// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/utf8.hpp"
#include "json.hpp"
#include "options.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace egb::cli {

namespace {

void print(const std::string& path, const std::vector<HolderRow>& holders, Context& context) {
    if (context.options().quiet) {
        for (const auto& holder : holders) {
            context.out() << holder.pid << '\n';
        }
        return;
    }
    if (holders.empty()) {
        context.tell(formatted("No process holds {}.", printable(path)));
        return;
    }
    Table table{{{"PID", Align::right},
                 {"UID", Align::right},
                 {"FD", Align::right},
                 {"COMMAND", Align::left, Fit::flexible},
                 {"UNIT", Align::left, Fit::flexible},
                 {"CONTAINER", Align::left, Fit::flexible},
                 {"EXE", Align::left, Fit::flexible}}};
    for (const auto& holder : holders) {
        table.add({{std::to_string(holder.pid)},
                   {std::to_string(holder.uid)},
                   {holder.fd >= 0 ? std::to_string(holder.fd) : ""},
                   {holder.command},
                   {holder.unit},
                   {holder.container},
                   {holder.exe}});
    }
    context.print(table);
}

ExitCode who_owns(const std::vector<std::string>& paths, Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) {
        return context.fail(daemon.error());
    }
    auto code = ExitCode::ok;
    std::vector<FileHolders> all;
    for (const auto& path : paths) {
        const auto holders = (*daemon)->who_owns(path);
        if (!holders) {
            code = context.fail(holders.error());
            continue;
        }
        if (context.options().json) {
            all.push_back({.path = path, .holders = *holders});
            continue;
        }
        if (paths.size() > 1 && !context.options().quiet && !holders->empty()) {
            context.legend(formatted("{}:", printable(path)));
        }
        print(path, *holders, context);
    }
    if (context.options().json) {
        print_json("files", all, context);
    }
    return code;
}

} // namespace

Action declare_who_owns(CLI::App& app) {
    const auto paths = std::make_shared<std::vector<std::string>>();
    app.add_option("PATH", *paths, "A file, a pipe or a socket; a link is followed")
        ->option_text("PATH...")
        ->required();
    return [paths](Context& context) {
        return who_owns(*paths, context);
    };
}

} // namespace egb::cli
