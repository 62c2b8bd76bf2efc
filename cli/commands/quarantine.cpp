// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "ghost_table.hpp"
#include "json.hpp"
#include "text.hpp"

#include <ostream>
#include <string>
#include <vector>

namespace egb::cli {

namespace {

void print(const std::vector<QuarantinedRow>& files, Context& context) {
    Table table{{{"GHOST", Align::right},
                 {"KIND"},
                 {"SINCE"},
                 {"TYPE"},
                 {"SIZE", Align::right},
                 {"PATH", Align::left, Fit::flexible}}};
    for (const auto& file : files) {
        table.add({{std::to_string(file.ghost)},
                   {file.kind},
                   {short_stamp(file.since)},
                   {file.type},
                   {std::to_string(file.size)},
                   {file.path}});
    }
    if (table.rows() > 0) {
        context.print(table);
        context.legend("");
    }
    context.legend(formatted("{} in quarantine.{}", counted(files.size(), "file"),
                             files.empty() ? "" : " To put one back: ghostctl restore GHOST"));
}

ExitCode quarantine(Context& context) {
    const auto files = context.daemon().and_then([](Client* client) {
        return client->quarantine();
    });
    if (!files) {
        return context.fail(files.error());
    }
    if (context.options().json) {
        print_json("files", *files, context);
    } else if (context.options().quiet) {
        for (const auto& file : *files) {
            context.out() << file.ghost << '\n';
        }
    } else {
        print(*files, context);
    }
    return ExitCode::ok;
}

} // namespace

Action declare_quarantine(CLI::App& /*app*/) {
    return quarantine;
}

} // namespace egb::cli
