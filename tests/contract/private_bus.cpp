// SPDX-License-Identifier: Apache-2.0
#include "contract/private_bus.hpp"

#include "core/format.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace egb::test {

namespace {

/// There has to be a <listen>; what the bus is told by --address takes its place.
constexpr std::string_view configuration = R"(<!DOCTYPE busconfig PUBLIC
  "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.PolicyKit1"/>
  </policy>
  <include>{}</include>
</busconfig>
)";

/// The thread acts as this user; the others, and its real and saved ids, stay what they are.
class ActAs {
public:
    explicit ActAs(uid_t uid) { set(uid); }
    ~ActAs() { set(0); }
    ActAs(const ActAs&) = delete;
    ActAs& operator=(const ActAs&) = delete;

private:
    /// The system call itself: the library's function changes all threads.
    static void set(uid_t uid) {
        constexpr auto same = static_cast<uid_t>(-1);
        if (::syscall(SYS_setresuid, same, uid, same) != 0) {
            throw std::system_error{errno, std::generic_category(), "setresuid (contract tests need root)"};
        }
    }
};

void must(int result, const char* what) {
    if (result < 0) {
        throw std::system_error{-result, std::generic_category(), what};
    }
}

} // namespace

std::string PrivateBus::configuration_in(const TempFolder& folder) {
    const auto file =
        folder.write("bus.conf", formatted(configuration, EGB_DBUS_FOLDER "/org.eghostbuster1.conf"));
    return formatted("--config-file={}", file.string());
}

sd_bus* PrivateBus::connect(uid_t uid) const {
    const ActAs user{uid};
    sd_bus* bus{};
    must(sd_bus_new(&bus), "sd_bus_new");
    must(sd_bus_set_address(bus, address().c_str()), "sd_bus_set_address");
    must(sd_bus_set_bus_client(bus, 1), "sd_bus_set_bus_client");
    must(sd_bus_start(bus), "sd_bus_start");
    return bus;
}

} // namespace egb::test
