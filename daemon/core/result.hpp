// SPDX-License-Identifier: Apache-2.0
// Expected failures are values. Start-up may throw; nothing else does.
#pragma once

#include "core/format.hpp"

#include <cerrno>
#include <cstdint>
#include <expected>
#include <format>
#include <string>
#include <string_view>
#include <utility>

namespace egb {

/// What went wrong, as far as the caller may want to react to it.
enum class ErrorCode : std::uint8_t {
    invalid,     ///< the caller asked for something that makes no sense
    not_found,   ///< no such ghost, process, file, option
    unsupported, ///< this kernel, this kind or this build cannot do it
    denied,      ///< the kernel or the policy does not let us
    changed,     ///< the thing is no longer the one that was examined
    busy,        ///< not now: rate limit, hold, pause, another action under way
    lost,        ///< events were lost, so the answer is unknown
    io,          ///< the system failed underneath us
};

/// An ErrorCode and a sentence that a person can act on.
struct Error {
    ErrorCode code{ErrorCode::io};
    std::string message;

    bool operator==(const Error&) const = default;
};

template <typename T = void>
using Result = std::expected<T, Error>;

/// The code's name as it stands in JSON and in bus error names.
[[nodiscard]] std::string_view to_string(ErrorCode code);

/// The failure branch of any Result.
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, std::format_string<Args...> format,
                                          Args&&... args) {
    return std::unexpected(Error{code, formatted(format, std::forward<Args>(args)...)});
}

/// The same for a failed system call: "what: strerror", with the code that fits the errno.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view what, int error = errno);

} // namespace egb
