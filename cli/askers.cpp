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

/// The file was opened to ask about it: what the kernel takes for the same opening is a copy that was made to
/// be passed on, and so is a number that is closed by now. What we were started with, as by `3<FILE`, is
/// another opening, and was there before; whoever gave it to us has the file for a reason of his own. That we
/// work in it is for no reason of ours.
bool is_for_asking(int fd, int asked) {
    return ::syscall(SYS_kcmp, ::getpid(), ::getpid(), KCMP_FILE, fd, asked) <= 0;
}

/// The bus says its pid as its own pid namespace has it, and the daemon as the machine does. Where these are
/// two, as our own pid shows, its unit says which one it is.
bool is_bus(const Json& holder, const Askers& askers) {
    const bool is_in_container = askers.us && *askers.us != ::getpid();
    const auto unit = text_of(holder, "unit");
    const bool is_it = is_in_container ? unit == "dbus.service" || unit == "dbus-broker.service"
                                       : text_of(holder, "pid") == std::to_string(askers.bus);
    return is_it && text_of(holder, "comm").starts_with("dbus-");
}

bool is_asker(const Json& holder, const Askers& askers) {
    const auto pid = text_of(holder, "pid");
    if (askers.us && pid == std::to_string(*askers.us) && has_our_name(holder)) {
        const auto fd = holder.value("fd", Json{});
        return !fd.is_number_integer() || is_for_asking(fd.get<int>(), askers.asked);
    }
    return is_bus(holder, askers);
}

} // namespace

bool has_our_name(const Json& holder) {
    return text_of(holder, "comm") == program_invocation_short_name;
}

Json without_those_who_ask(Json owners, const Askers& askers) {
    auto others = Json::array();
    std::ranges::copy_if(list_of(owners, "holders"), std::back_inserter(others), [&](const Json& holder) {
        return !is_asker(holder, askers);
    });
    owners["holders"] = std::move(others);
    return owners;
}

} // namespace egb::cli
