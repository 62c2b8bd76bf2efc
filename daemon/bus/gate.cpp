// SPDX-License-Identifier: Apache-2.0
#include "bus/gate.hpp"

#include "bus/access.hpp"
#include "bus/errors.hpp"
#include "core/format.hpp"

#include <systemd/sd-id128.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace egb::bus {

namespace {

constexpr std::size_t most_ids = 1'000;
constexpr std::size_t most_entries = 64;
constexpr std::size_t most_bytes = std::size_t{64} * 1'024;
constexpr std::size_t longest_path = 1'024;

/// Interfaces that sd-bus answers itself. What their properties let through is said by the bus policy.
constexpr std::array<std::string_view, 4> standard_interfaces{
    "org.freedesktop.DBus.Introspectable",
    "org.freedesktop.DBus.ObjectManager",
    "org.freedesktop.DBus.Peer",
    "org.freedesktop.DBus.Properties",
};

std::string_view text_or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

bool listed(std::string_view interface, std::string_view method) {
    return std::ranges::contains(standard_interfaces, interface) ||
           (interface == "org.eghostbuster1.Manager" &&
            std::ranges::contains(rules(), method, &Rule::method));
}

enum class Size : std::uint8_t { fits, too_large, malformed };

/// Looks at no more entries than `most` of the array at the read position.
Size size_of_array(sd_bus_message* message, const char* entry, std::size_t most) {
    if (sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, entry) <= 0) {
        return Size::malformed;
    }
    std::size_t count = 0;
    while (count <= most && sd_bus_message_at_end(message, 0) == 0) {
        if (sd_bus_message_skip(message, entry) <= 0) {
            return Size::malformed;
        }
        ++count;
    }
    if (count > most) {
        return Size::too_large;
    }
    return sd_bus_message_exit_container(message) < 0 ? Size::malformed : Size::fits;
}

bool measure(sd_bus_message* call, std::size_t& bytes);

bool is_text(char type) {
    return type == SD_BUS_TYPE_STRING || type == SD_BUS_TYPE_OBJECT_PATH || type == SD_BUS_TYPE_SIGNATURE;
}

bool measure_text(sd_bus_message* call, char type, std::size_t& bytes) {
    const char* text{};
    if (sd_bus_message_read_basic(call, type, static_cast<void*>(&text)) <= 0) {
        return false;
    }
    bytes += sizeof(std::uint32_t) + std::string_view{text}.size();
    return true;
}

bool measure_basic(sd_bus_message* call, char type, std::size_t& bytes) {
    if (is_text(type)) {
        return measure_text(call, type, bytes);
    }
    std::uint64_t room{};
    if (sd_bus_message_read_basic(call, type, &room) <= 0) {
        return false;
    }
    bytes += type == SD_BUS_TYPE_BYTE ? 1 : sizeof(std::uint32_t);
    return true;
}

bool measure_container(sd_bus_message* call, char type, const char* contents, std::size_t& bytes) {
    bytes += sizeof(std::uint32_t);
    return sd_bus_message_enter_container(call, type, contents) > 0 && measure(call, bytes) &&
           (bytes > most_bytes || sd_bus_message_exit_container(call) >= 0);
}

/// Adds up what stands at the read position, and stops where it is too much. False when it cannot be read.
bool measure(sd_bus_message* call, std::size_t& bytes) {
    char type{};
    const char* contents{};
    int found{};
    while (bytes <= most_bytes && (found = sd_bus_message_peek_type(call, &type, &contents)) > 0) {
        const bool read = contents != nullptr ? measure_container(call, type, contents, bytes)
                                              : measure_basic(call, type, bytes);
        if (!read) {
            return false;
        }
    }
    return found >= 0;
}

/// sd-bus does not tell how long a message is.
std::optional<sdbus::Error> too_long(sd_bus_message* call) {
    if (text_or_empty(sd_bus_message_get_path(call)).size() > longest_path) {
        return limits_exceeded(formatted("no object has a path of more than {} bytes", longest_path));
    }
    std::size_t bytes = 0;
    // What cannot be read is left to the unpacking, which will say what is wrong.
    static_cast<void>(measure(call, bytes));
    if (bytes > most_bytes) {
        return limits_exceeded(formatted("the arguments have more than {} bytes", most_bytes));
    }
    return {};
}

std::optional<sdbus::Error> too_large(sd_bus_message* call) {
    char type{};
    const char* contents{};
    while (sd_bus_message_peek_type(call, &type, &contents) > 0) {
        if (type != SD_BUS_TYPE_ARRAY) {
            if (sd_bus_message_skip(call, nullptr) <= 0) {
                return {};
            }
            continue;
        }
        const std::string entry{contents};
        const std::size_t most = entry == "t" ? most_ids : most_entries;
        const auto size = size_of_array(call, entry.c_str(), most);
        if (size == Size::too_large) {
            return limits_exceeded(
                formatted("an argument has more than {} entries; make several calls of it", most));
        }
        if (size == Size::malformed) {
            return {}; // the unpacking will say what is wrong
        }
    }
    return {};
}

/// sd-bus takes a machine without an id for a reason to close the connection, and everybody may ask for the
/// id.
std::optional<sdbus::Error> no_machine_id() {
    sd_id128_t id{};
    if (sd_id128_get_machine(&id) >= 0) {
        return {};
    }
    return sdbus::Error{sdbus::Error::Name{SD_BUS_ERROR_FILE_NOT_FOUND},
                        "this machine has no id: see machine-id(5)"};
}

} // namespace

std::optional<sdbus::Error> turn_away(sd_bus_message* call, std::optional<std::uint32_t> uid) {
    const auto interface = text_or_empty(sd_bus_message_get_interface(call));
    const auto method = text_or_empty(sd_bus_message_get_member(call));
    if (!listed(interface, method)) {
        return sdbus::Error{sdbus::Error::Name{SD_BUS_ERROR_UNKNOWN_METHOD},
                            formatted("{}.{} does not exist, or nobody may call it", interface, method)};
    }
    if (interface == "org.freedesktop.DBus.Properties" && method == "Set" && uid.value_or(0) != 0) {
        return access_denied("only root may set properties");
    }
    if (method == "GetMachineId") {
        return no_machine_id();
    }
    auto error = too_long(call);
    sd_bus_message_rewind(call, 1);
    if (error) {
        return error;
    }
    error = too_large(call);
    sd_bus_message_rewind(call, 1);
    return error;
}

} // namespace egb::bus
