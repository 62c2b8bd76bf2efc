// SPDX-License-Identifier: Apache-2.0
// What --json prints. The shapes are promised in ghostctl(1): members are added, never renamed or taken away.
// Times are microseconds since the epoch, spans (..._usec) are microseconds, null is unknown or none.
#pragma once

#include "model.hpp"

#include <vector>

namespace egb::cli {

[[nodiscard]] Json to_json(const GhostRow& row);
[[nodiscard]] Json to_json(const MemberRow& row);
[[nodiscard]] Json to_json(const IncidentRow& row);
[[nodiscard]] Json to_json(const HolderRow& row);
[[nodiscard]] Json to_json(const OutcomeRow& row);
[[nodiscard]] Json to_json(const CapabilityRow& row);
[[nodiscard]] Json to_json(const OptionRow& row);
[[nodiscard]] Json to_json(const KindView& view);
[[nodiscard]] Json to_json(const ManagerView& view);

template <typename Row>
[[nodiscard]] Json to_json(const std::vector<Row>& rows) {
    auto all = Json::array();
    for (const auto& row : rows) {
        all.push_back(to_json(row));
    }
    return all;
}

} // namespace egb::cli
