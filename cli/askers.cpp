// SPDX-License-Identifier: Apache-2.0
#include "askers.hpp"

#include "json_reading.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <linux/kcmp.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace egb::cli {

namespace {

/// Below it are those of the system.
constexpr std::uint64_t first_users_uid = 1000;

/// The file was opened to ask about it: what the kernel takes for the same opening is a copy that was made to
/// be passed on, and so is a number that is closed by now. What we were started with, as by `3<FILE`, is
/// another opening, and was there before; whoever gave it to us has the file for a reason of his own. That we
/// work in it is for no reason of ours.
bool is_for_asking(int fd, int asked) {
    return ::syscall(SYS_kcmp, ::getpid(), ::getpid(), KCMP_FILE, fd, asked) <= 0;
}

/// With dbus-broker it is root who has started it that is told, and its own user who runs it.
bool is_user_of_bus(const Json& holder, const BusProcess& bus) {
    const auto uid = holder.value("uid", Json{});
    const bool is_systems = uid.is_number_unsigned() && uid.get<std::uint64_t>() < first_users_uid;
    return bus.uid && (uid == *bus.uid || (*bus.uid == 0 && is_systems));
}

/// Its unit and its user say who it is, where its pid does not: those whom a user has started himself have
/// that unit and another user, and those of other containers are none of ours.
bool is_bus(const Json& holder, const BusProcess& bus, std::string_view our_container) {
    const auto unit = text_of(holder, "unit");
    const auto container = text_of(holder, "container");
    const bool is_service = (unit == "dbus.service" || unit == "dbus-broker.service") &&
                            is_user_of_bus(holder, bus) && (container.empty() || container == our_container);
    return text_of(holder, "comm").starts_with("dbus-") &&
           (is_service || text_of(holder, "pid") == std::to_string(bus.pid));
}

bool is_us(const Json& holder, const Askers& askers) {
    return askers.us && text_of(holder, "pid") == std::to_string(*askers.us) && has_our_name(holder);
}

bool is_because_we_ask(const Json& holder, const Askers& askers) {
    const auto fd = holder.value("fd", Json{});
    return !fd.is_number_integer() || is_for_asking(fd.get<int>(), askers.asked);
}

} // namespace

bool has_our_name(const Json& holder) {
    return text_of(holder, "comm") == program_invocation_short_name;
}

Json without_those_who_ask(Json owners, const Askers& askers) {
    const auto holders = list_of(owners, "holders");
    const auto us = std::ranges::find_if(holders, [&](const Json& holder) {
        return is_us(holder, askers);
    });
    const auto container = us == holders.end() ? std::string{} : text_of(*us, "container");
    auto others = Json::array();
    std::ranges::copy_if(holders, std::back_inserter(others), [&](const Json& holder) {
        return is_us(holder, askers) ? !is_because_we_ask(holder, askers)
                                     : !is_bus(holder, askers.bus, container);
    });
    owners["holders"] = std::move(others);
    return owners;
}

} // namespace egb::cli
