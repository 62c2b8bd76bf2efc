// SPDX-License-Identifier: Apache-2.0
// Our errors under the names by which the bus knows them. The names are part of the API.
#pragma once

#include "core/result.hpp"

#include <sdbus-c++/Error.h>

#include <cstdint>
#include <utility>

namespace egb::bus {

/// What a call was about: "not found" is another error for a ghost than for a kind.
enum class Subject : std::uint8_t { ghost, kind, file, filter, option };

[[nodiscard]] sdbus::Error to_bus_error(const Error& error, Subject subject);

[[nodiscard]] sdbus::Error access_denied(const std::string& message);
[[nodiscard]] sdbus::Error limits_exceeded(const std::string& message);

/// For methods that answer by returning: the value, or the error as the exception that sdbus-c++ replies
/// with.
template <typename T>
T value_or_throw(Result<T> result, Subject subject) {
    if (!result) {
        throw to_bus_error(result.error(), subject);
    }
    return *std::move(result);
}

} // namespace egb::bus
