// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "ghost_table.hpp"
#include "json.hpp"
#include "options.hpp"
#include "text.hpp"

#include <memory>
#include <ostream>
#include <string>

namespace egb::cli {

namespace {

/// What is not on the list because one line stands for many.
std::string folded(std::size_t listed, Filter filter, Client& client) {
    if (filter.members) {
        return "";
    }
    filter.members = true;
    const auto all = client.count(filter);
    return all && *all > listed
               ? formatted(" {} more are folded into summaries; --all lists them.", *all - listed)
               : "";
}

ExitCode list(const Filter& filter, Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) {
        return context.fail(daemon.error());
    }
    const auto ghosts = (*daemon)->ghosts(filter);
    if (!ghosts) {
        return context.fail(ghosts.error());
    }
    if (context.options().json) {
        print_json("ghosts", *ghosts, context);
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
    if (!context.options().no_legend) {
        context.legend(formatted("{} listed.{}", counted(ghosts->size(), "ghost"),
                                 folded(ghosts->size(), filter, **daemon)));
    }
    return ExitCode::ok;
}

} // namespace

Action declare_list(CLI::App& app) {
    const auto filter = std::make_shared<Filter>();
    add_flag(app, {"-a,--all", "", "Those too that a summary stands for"}, filter->members);
    add_filter(app, *filter);
    return [filter](Context& context) {
        return list(*filter, context);
    };
}

} // namespace egb::cli
