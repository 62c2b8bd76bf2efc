// SPDX-License-Identifier: Apache-2.0
#include "unit_opt_outs.hpp"

#include "core/format.hpp"
#include "core/option.hpp"
#include "core/utf8.hpp"

#include <cstddef>
#include <variant>

namespace egb {

namespace {

constexpr std::string_view section{"X-Ghostbuster"};
constexpr OptionSpec clean{.name = "Clean",
                           .type = OptionType::flag,
                           .preset = "yes",
                           .help = "Whether what the unit holds may be cleaned."};

std::string said(std::string_view unit, const host::UnitAssignment& assignment) {
    constexpr std::size_t enough = 60;
    const auto statement = formatted("{}={}", assignment.name, assignment.value).substr(0, enough);
    return formatted("its unit {} says \"{}\" in {}", unit, printable(statement),
                     printable(assignment.file.string()));
}

std::string unknown(std::string_view unit, const Error& error) {
    return formatted("whether its unit {} wants to be left alone cannot be read: {}", unit, error.message);
}

/// A typing mistake of somebody who wanted to be left alone must not become the opposite.
std::optional<std::string> judge(std::string_view unit, const host::UnitAssignment& assignment) {
    if (assignment.name != clean.name) {
        return formatted("{}, and there is no such setting", said(unit, assignment));
    }
    const auto may_be_cleaned =
        parse_option(clean, assignment.value.empty() ? clean.preset : assignment.value);
    if (!may_be_cleaned) {
        return formatted("{}, which is neither yes nor no", said(unit, assignment));
    }
    return std::get<bool>(*may_be_cleaned) ? std::nullopt : std::optional{said(unit, assignment)};
}

std::optional<std::string> judge(std::string_view unit, const Result<host::UnitFiles>& files) {
    if (!files) {
        return unknown(unit, files.error());
    }
    const auto assignments = files->section(unit, section);
    if (!assignments) {
        return unknown(unit, assignments.error());
    }
    std::optional<std::string> why;
    for (const auto& assignment : *assignments) {
        why = judge(unit, assignment);
        if (why && assignment.name != clean.name) {
            return why;
        }
    }
    return why;
}

} // namespace

std::optional<std::string> UnitOptOuts::why_left_alone(std::string_view unit) {
    const Instant now = clock_.now();
    if (!snapshot_ || now >= snapshot_->until) {
        snapshot_.emplace(later(now, remembered), host::UnitFiles::list(root_));
    }
    const auto known = snapshot_->answers.find(unit);
    if (known != snapshot_->answers.end()) {
        return known->second;
    }
    return snapshot_->answers.emplace(unit, judge(unit, snapshot_->files)).first->second;
}

} // namespace egb
