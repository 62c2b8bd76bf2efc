// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include "command_line.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

namespace egb::cli {

namespace {

constexpr std::size_t help_columns = 100;

} // namespace

ExitCode run(std::vector<std::string> arguments, const TerminalFacts& facts, Streams streams,
             const std::string& version) {
    CommandLine line{version, std::min(width_of(facts).value_or(help_columns), help_columns)};
    const auto action = line.parse(std::move(arguments));
    if (!action) {
        auto& stream = action.error().code == ExitCode::ok ? streams.out : streams.err;
        stream << action.error().text;
        return action.error().code;
    }
    Context context{line.options(), facts, streams, version};
    return (*action)(context);
}

} // namespace egb::cli
