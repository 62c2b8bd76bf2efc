// SPDX-License-Identifier: Apache-2.0
#include "bus/errors.hpp"

#include "bus/wire.hpp"
#include "core/format.hpp"

#include <cstddef>
#include <string_view>

namespace egb::bus {

namespace {

/// Whatever an error repeats, its reply stays far from what the bus carries.
constexpr std::size_t longest_message = 1'024;

std::string message_on_wire(std::string_view message) {
    return shortened(wire_text(shortened(message, longest_message)), longest_message);
}

std::string_view not_found(Subject subject) {
    switch (subject) {
    case Subject::ghost:
        return "NoSuchGhost";
    case Subject::kind:
        return "NoSuchKind";
    case Subject::file:
        return "NoSuchFile";
    case Subject::filter:
        return "BadFilter";
    case Subject::option:
        return "BadOption";
    }
    std::unreachable();
}

std::string_view name_of(ErrorCode code, Subject subject) {
    switch (code) {
    case ErrorCode::invalid:
        return subject == Subject::filter ? "BadFilter" : "BadOption";
    case ErrorCode::not_found:
        return not_found(subject);
    case ErrorCode::unsupported:
        return "Unsupported";
    case ErrorCode::denied:
    case ErrorCode::changed:
        return "Refused";
    case ErrorCode::busy:
        return "Busy";
    case ErrorCode::lost:
    case ErrorCode::io:
        return "Failed";
    }
    std::unreachable();
}

sdbus::Error standard_error(std::string_view name, const std::string& message) {
    return sdbus::Error{sdbus::Error::Name{formatted("org.freedesktop.DBus.Error.{}", name)},
                        message_on_wire(message)};
}

} // namespace

sdbus::Error to_bus_error(const Error& error, Subject subject) {
    return sdbus::Error{
        sdbus::Error::Name{formatted("org.eghostbuster1.Error.{}", name_of(error.code, subject))},
        message_on_wire(error.message)};
}

sdbus::Error access_denied(const std::string& message) {
    return standard_error("AccessDenied", message);
}

sdbus::Error limits_exceeded(const std::string& message) {
    return standard_error("LimitsExceeded", message);
}

} // namespace egb::bus
