// SPDX-License-Identifier: Apache-2.0
// One verb of ghostctl. Each has its own file in this folder; catalog.cpp has the table.
#pragma once

#include "exit_code.hpp"

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
} // namespace CLI

namespace egb::cli {

class Context;

/// What a verb does once its arguments are read.
using Action = std::function<ExitCode(Context&)>;

struct Verb {
    std::string_view name;
    std::string_view group;           ///< heading in the help
    std::string_view summary;         ///< one line
    std::string_view details;         ///< a paragraph for its own help
    std::string_view examples;        ///< for its own help, lines of "COMMAND  # what for"
    Action (*declare)(CLI::App& app); ///< adds its arguments and options
};

/// All of them, in the order of the help. The first is the one that runs when none is named.
[[nodiscard]] std::span<const Verb> verbs();

} // namespace egb::cli
