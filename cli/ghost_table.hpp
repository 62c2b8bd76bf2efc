// SPDX-License-Identifier: Apache-2.0
// Ghosts and words of the API as they stand in tables.
#pragma once

#include "colour.hpp"
#include "model.hpp"
#include "table.hpp"

#include <string_view>
#include <vector>

namespace egb::cli {

[[nodiscard]] Table ghost_table(const std::vector<GhostRow>& ghosts, WallTime now, Charset charset);

/// Those that a summary ghost stands for.
[[nodiscard]] Table member_table(const std::vector<MemberRow>& members, WallTime now, Charset charset);

/// Proven is strong, a suspicion is not.
[[nodiscard]] Style style_of_grade(std::string_view grade);
[[nodiscard]] Style style_of_verdict(std::string_view verdict);

} // namespace egb::cli
