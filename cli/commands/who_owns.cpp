// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/utf8.hpp"
#include "json_reading.hpp"
#include "options.hpp"
#include "ownership.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace egb::cli {

namespace {

Table holder_table(const Json& holders) {
    Table table{{{"PID", Align::right},
                 {"UID", Align::right},
                 {"FD", Align::right},
                 {"COMMAND", Align::left, Fit::flexible},
                 {"UNIT", Align::left, Fit::flexible},
                 {"CONTAINER", Align::left, Fit::flexible},
                 {"EXE", Align::left, Fit::flexible}}};
    for (const auto& holder : holders) {
        table.add({{text_of(holder, "pid")},
                   {text_of(holder, "uid")},
                   {text_of(holder, "fd")},
                   {text_of(holder, "comm")},
                   {text_of(holder, "unit")},
                   {text_of(holder, "container")},
                   {text_of(holder, "exe")}});
    }
    return table;
}

void print_pids(const Json& owners, Context& context) {
    for (const auto& pid : owner_pids(owners)) {
        context.out() << pid << '\n';
    }
}

void print(const std::string& path, const Json& owners, Context& context) {
    if (const auto holders = list_of(owners, "holders"); holders.empty()) {
        context.tell(formatted("No process holds {}.", printable(path)));
    } else {
        context.print(holder_table(holders));
    }
    for (const auto& line : ownership_lines(owners, wall_now())) {
        context.out() << line << '\n';
    }
}

bool is_owned(const Json& owners) {
    return !list_of(owners, "holders").empty() || !list_of(owners, "locks").empty() ||
           !list_of(owners, "claims").empty();
}

/// The path first, for whoever reads.
Json with_path(const std::string& path, const Json& owners) {
    Json file{{"path", path}};
    file.update(owners);
    return file;
}

ExitCode who_owns(const std::vector<std::string>& paths, Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) {
        return context.fail(daemon.error());
    }
    auto code = ExitCode::ok;
    auto all = Json::array();
    for (const auto& path : paths) {
        const auto owners = (*daemon)->owners(path);
        if (!owners) {
            code = context.fail(owners.error());
        } else if (context.options().json) {
            all.push_back(with_path(path, *owners));
        } else if (context.options().quiet) {
            print_pids(*owners, context);
        } else {
            if (paths.size() > 1 && is_owned(*owners)) {
                context.legend(formatted("{}:", printable(path)));
            }
            print(path, *owners, context);
        }
    }
    if (context.options().json) {
        context.print(Json{{"files", all}});
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
