// SPDX-License-Identifier: Apache-2.0
// The dictionaries that callers send: filters and options. An unknown key or a wrong type is an error that
// names the key and the ones that are known, so that a misspelt filter never becomes "everything". Pure.
#pragma once

#include "core/ghost.hpp"
#include "core/option.hpp"
#include "core/result.hpp"
#include "state/state_db.hpp"
#include "trace/filter.hpp"

#include <sdbus-c++/Types.h>

#include <map>
#include <span>
#include <string>

namespace egb::bus {

using Dictionary = std::map<std::string, sdbus::Variant>;

[[nodiscard]] Result<GhostFilter> ghost_filter(const Dictionary& dictionary);
[[nodiscard]] Result<state::HistoryFilter> history_filter(const Dictionary& dictionary);
[[nodiscard]] Result<trace::Filter> trace_filter(const Dictionary& dictionary);

/// Clean's options: the least grade that the caller wants cleaned.
[[nodiscard]] Result<Grade> least_grade(const Dictionary& dictionary);

/// SetPolicy's options, as they would be written in the file. Each is checked against its line of the table.
[[nodiscard]] Result<std::map<std::string, std::string>> policy_options(const Dictionary& dictionary,
                                                                        std::span<const OptionSpec> table);

} // namespace egb::bus
