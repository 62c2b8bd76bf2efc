// SPDX-License-Identifier: Apache-2.0
// What --json prints. The shapes are promised in ghostctl(1): members are added, never renamed or taken away.
// Times are microseconds since the epoch, spans (..._usec) are microseconds, null is unknown or none.
// The library is slow to compile: who only prints does without its header.
#pragma once

#include "context.hpp"
#include "model.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace egb::cli {

[[nodiscard]] Json to_json(const GhostRow& row);
[[nodiscard]] Json to_json(const MemberRow& row);
[[nodiscard]] Json to_json(const IncidentRow& row);
[[nodiscard]] Json to_json(const QuarantinedRow& row);
[[nodiscard]] Json to_json(const Explanation& row);
[[nodiscard]] Json to_json(const Restored& row);
[[nodiscard]] Json to_json(const OutcomeRow& row);
[[nodiscard]] Json to_json(const CapabilityRow& row);
[[nodiscard]] Json to_json(const OptionRow& row);
[[nodiscard]] Json to_json(const KindView& view);
[[nodiscard]] Json to_json(const ManagerView& view);

template <typename Row>
[[nodiscard]] Json to_json(const std::vector<Row>& rows);

struct JsonMember {
    std::string_view name;
    std::variant<std::nullptr_t, bool, std::uint64_t, std::string, std::vector<GhostId>,
                 std::vector<std::string>>
        value;
};

/// {"name": value, ...}
void print_json(std::initializer_list<JsonMember> members, Context& context);
template <typename Row>
void print_json(std::string_view name, const std::vector<Row>& rows, Context& context);

} // namespace egb::cli
