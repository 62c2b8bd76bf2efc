// SPDX-License-Identifier: Apache-2.0
#include "failure.hpp"

#include "core/format.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <array>

namespace egb::cli {

namespace {

constexpr std::string_view start_hint = "Start it with: systemctl start eghostbuster";
constexpr std::string_view log_hint = "See why: systemctl status eghostbuster, journalctl -u eghostbuster";
constexpr std::string_view rights_hint =
    "Run it as root (sudo), or in a session with a polkit agent that can ask for a password.";
constexpr std::string_view upgrade_hint =
    "Daemon and ghostctl are of different versions; try: systemctl restart eghostbuster";

struct Meaning {
    std::string_view name; ///< of a bus error; one that ends in '.' stands for all that begin with it
    ExitCode code;
    std::string_view hint;
};

constexpr auto meanings = std::to_array<Meaning>({
    {"org.eghostbuster1.Error.NoSuchGhost", ExitCode::not_found,
     "`ghostctl list` shows those there are, `ghostctl history --ghost ID` what became of one."},
    {"org.eghostbuster1.Error.NoSuchKind", ExitCode::not_found, "`ghostctl kinds` shows those there are."},
    {"org.eghostbuster1.Error.NoSuchFile", ExitCode::not_found, ""},
    {"org.eghostbuster1.Error.BadFilter", ExitCode::usage, ""},
    {"org.eghostbuster1.Error.BadOption", ExitCode::usage, "`ghostctl policy show` lists names and values."},
    {"org.eghostbuster1.Error.Refused", ExitCode::refused, ""},
    {"org.eghostbuster1.Error.Unsupported", ExitCode::refused,
     "`ghostctl doctor` says what works here and what does not."},
    {"org.eghostbuster1.Error.Busy", ExitCode::refused, "Try again in a moment."},
    {"org.eghostbuster1.Error.Failed", ExitCode::partly, "See why: journalctl -u eghostbuster"},
    {"org.freedesktop.DBus.Error.LimitsExceeded", ExitCode::refused,
     "Try again in a moment, or ask for less."},
    {"org.freedesktop.DBus.Error.AccessDenied", ExitCode::denied, rights_hint},
    {"org.freedesktop.DBus.Error.AuthFailed", ExitCode::denied, rights_hint},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ExitCode::denied, rights_hint},
    {"org.freedesktop.PolicyKit1.Error.", ExitCode::denied, rights_hint},
    {"org.freedesktop.DBus.Error.ServiceUnknown", ExitCode::unreachable, start_hint},
    {"org.freedesktop.DBus.Error.NameHasNoOwner", ExitCode::unreachable, start_hint},
    {"org.freedesktop.DBus.Error.Spawn.", ExitCode::unreachable, log_hint},
    {"org.freedesktop.systemd1.", ExitCode::unreachable, log_hint},
    {"org.freedesktop.DBus.Error.Timeout", ExitCode::unreachable, log_hint},
    {"org.freedesktop.DBus.Error.TimedOut", ExitCode::unreachable, log_hint},
    {"org.freedesktop.DBus.Error.NoReply", ExitCode::unreachable, log_hint},
    {"org.freedesktop.DBus.Error.Disconnected", ExitCode::unreachable, log_hint},
    {"org.freedesktop.DBus.Error.NoServer", ExitCode::unreachable, start_hint},
    {"org.freedesktop.DBus.Error.InvalidArgs", ExitCode::usage, ""},
    {"org.freedesktop.DBus.Error.NotSupported", ExitCode::refused, ""},
    {"org.freedesktop.DBus.Error.UnknownMethod", ExitCode::refused, upgrade_hint},
    {"org.freedesktop.DBus.Error.UnknownInterface", ExitCode::refused, upgrade_hint},
    {"org.freedesktop.DBus.Error.UnknownProperty", ExitCode::refused, upgrade_hint},
    {"org.freedesktop.DBus.Error.UnknownObject", ExitCode::not_found,
     "`ghostctl kinds` shows the kinds there are."},
});

bool stands_for(const Meaning& meaning, std::string_view name) {
    return meaning.name == name || (meaning.name.ends_with('.') && name.starts_with(meaning.name));
}

} // namespace

Failure failure_of(std::string_view error_name, std::string_view message) {
    const auto* const meaning = std::ranges::find_if(meanings, [error_name](const Meaning& candidate) {
        return stands_for(candidate, error_name);
    });
    std::string said = printable(message.empty() ? error_name : message);
    if (meaning == meanings.end()) {
        return {ExitCode::partly, std::move(said), {}};
    }
    return {meaning->code, std::move(said), std::string{meaning->hint}};
}

Failure not_running() {
    return {ExitCode::unreachable, "eghostbusterd is not running.", std::string{start_hint}};
}

Failure no_bus(std::string_view address, std::string_view reason) {
    return {ExitCode::unreachable,
            formatted("There is no message bus at {}: {}.", printable(address), reason),
            "Start it with: systemctl start dbus.socket; or name another one with --address"};
}

} // namespace egb::cli
