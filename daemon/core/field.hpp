// SPDX-License-Identifier: Apache-2.0
// A named value, for everything that is shown but not computed with: JSON, journal fields, `ghostctl show`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace egb {

using FieldValue = std::variant<bool, std::int64_t, std::uint64_t, std::string>;

struct Field {
    std::string_view name; ///< snake_case, from a literal
    FieldValue value;

    bool operator==(const Field&) const = default;
};

using Fields = std::vector<Field>;

} // namespace egb
