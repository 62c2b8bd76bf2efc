// SPDX-License-Identifier: Apache-2.0
// One run of ghostctl, from the arguments to the exit code.
#pragma once

#include "context.hpp"
#include "exit_code.hpp"
#include "terminal.hpp"

#include <string>
#include <vector>

namespace egb::cli {

/// The arguments without the program's name.
[[nodiscard]] ExitCode run(std::vector<std::string> arguments, const TerminalFacts& facts, Streams streams,
                           const std::string& version);

} // namespace egb::cli
