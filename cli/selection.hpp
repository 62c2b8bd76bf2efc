// SPDX-License-Identifier: Apache-2.0
// Which ghosts a verb is to act upon: those that are named, or all that a filter lets through.
#pragma once

#include "context.hpp"
#include "failure.hpp"
#include "model.hpp"

#include <string_view>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace egb::cli {

struct Selection {
    std::vector<GhostId> ids;
    bool all{};
    bool yes{}; ///< no question before --all
    Filter filter;
};

/// Adds ID..., --all, --yes and the filters, and refuses what does not go together.
void add_selection(CLI::App& app, Selection& selection);

/// The ids that are meant. With --all, a person at a terminal sees them first and is asked whether to go on:
/// `deed` is what the question is about ("Clean").
[[nodiscard]] Answer<std::vector<GhostId>> select(const Selection& selection, std::string_view deed,
                                                  Client& client, Context& context);

/// The same without a question, for what does no harm.
[[nodiscard]] Answer<std::vector<GhostId>> select_quietly(const Selection& selection, Client& client);

} // namespace egb::cli
