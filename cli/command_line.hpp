// SPDX-License-Identifier: Apache-2.0
// The command line as CLI11 reads it: the options of all verbs, and one subcommand per entry of the table in
// commands/catalog.cpp.
#pragma once

#include "commands/verb.hpp"
#include "context.hpp"
#include "exit_code.hpp"

#include <CLI/CLI.hpp>

#include <expected>
#include <string>
#include <vector>

namespace egb::cli {

/// What to say instead of running anything: help, a version, or what is wrong with the command line.
struct Reply {
    ExitCode code{ExitCode::ok}; ///< ok: for standard output, anything else: for standard error
    std::string text;
};

/// Reads one command line, once.
class CommandLine {
public:
    /// `columns`: how wide the help may be.
    CommandLine(const std::string& version, std::size_t columns);
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;
    ~CommandLine() = default;

    /// The arguments without the program's name.
    [[nodiscard]] std::expected<Action, Reply> parse(std::vector<std::string> arguments);

    /// Meaningful after parse().
    [[nodiscard]] const GlobalOptions& options() const { return options_; }
    [[nodiscard]] const CLI::App& tree() const { return app_; }

private:
    void add_global_options(const std::string& version);
    void add_verbs();
    [[nodiscard]] Reply mistake(const CLI::ParseError& error) const;

    CLI::App app_;
    GlobalOptions options_;
    std::vector<Action> actions_; ///< one per verb, in the order of verbs()
};

} // namespace egb::cli
