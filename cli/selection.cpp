// SPDX-License-Identifier: Apache-2.0
#include "selection.hpp"

#include "core/format.hpp"
#include "ghost_table.hpp"
#include "options.hpp"
#include "text.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iterator>

namespace egb::cli {

namespace {

std::vector<GhostId> ids_of(const std::vector<GhostRow>& ghosts) {
    std::vector<GhostId> ids;
    std::ranges::transform(ghosts, std::back_inserter(ids), &GhostRow::id);
    return ids;
}

/// What stands for many on a list is many where something is done.
Answer<std::vector<GhostRow>> all_of(const Selection& selection, Client& client) {
    auto filter = selection.filter;
    filter.members = true;
    return client.ghosts(filter);
}

void check(const Selection& selection) {
    if (selection.ids.empty() && !selection.all) {
        throw CLI::ValidationError("ID", "name one or more ghosts, or --all");
    }
    if (!selection.ids.empty() && selection.all) {
        throw CLI::ValidationError("--all", "stands for all ghosts, so name none beside it");
    }
    if (!selection.all && !selection.filter.empty()) {
        throw CLI::ValidationError("ID", "filters choose among --all; a ghost that is named needs none");
    }
}

} // namespace

void add_selection(CLI::App& app, Selection& selection) {
    add_ids(app, selection.ids);
    add_flag(app, {"-a,--all", "", "All ghosts, or all that pass the filters"}, selection.all);
    add_flag(app, {"-y,--yes", "", "Do not ask before acting on --all"}, selection.yes);
    add_filter(app, selection.filter);
    app.parse_complete_callback([&selection] {
        check(selection);
    });
}

Answer<std::vector<GhostId>> select(const Selection& selection, std::string_view deed, Client& client,
                                    Context& context) {
    if (!selection.all || selection.yes) {
        return select_quietly(selection, client);
    }
    if (!context.can_ask()) {
        return std::unexpected(
            Failure{ExitCode::usage, "--all is not acted upon unasked.", "Without a terminal, add --yes."});
    }
    const auto ghosts = all_of(selection, client);
    if (!ghosts) {
        return std::unexpected(ghosts.error());
    }
    if (ghosts->empty()) {
        return {};
    }
    context.print(ghost_table(*ghosts, wall_now(), context.charset()));
    if (!context.confirm(formatted("\n{} {}?", deed, counted(ghosts->size(), "ghost")))) {
        return std::unexpected(Failure{ExitCode::partly, "Nothing was done.", {}});
    }
    return ids_of(*ghosts);
}

Answer<std::vector<GhostId>> select_quietly(const Selection& selection, Client& client) {
    if (!selection.all) {
        return selection.ids;
    }
    return all_of(selection, client).transform(ids_of);
}

} // namespace egb::cli
