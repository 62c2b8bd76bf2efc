// SPDX-License-Identifier: Apache-2.0
// A named value, for everything that is shown but not computed with: JSON, journal fields, `ghostctl show`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
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

/// What is known at one moment, put into words when somebody wants to read it.
using Facts = std::function<Fields()>;

/// The value of that name; nullptr when there is none, or when it is of another type.
template <typename T>
[[nodiscard]] const T* field_as(const Fields& fields, std::string_view name) {
    const auto field = std::ranges::find(fields, name, &Field::name);
    return field == fields.end() ? nullptr : std::get_if<T>(&field->value);
}

} // namespace egb
