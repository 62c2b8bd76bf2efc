// SPDX-License-Identifier: Apache-2.0
#include "contract/private_bus.hpp"

#include "contract/interface_xml.hpp"
#include "core/format.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <format>
#include <stdexcept>
#include <system_error>

namespace egb::test {

namespace {

constexpr const char* configuration = R"(<!DOCTYPE busconfig PUBLIC
  "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{}</listen>
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

/// In the child: becomes dbus-daemon, which writes its address to `ready` when it listens.
[[noreturn]] void become_bus(const char* configuration_option, const char* ready_option, int ready, int log) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::fcntl(ready, F_SETFD, 0);
    ::dup2(log, STDERR_FILENO);
    ::execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", configuration_option,
             ready_option, nullptr);
    ::_exit(127);
}

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

PrivateBus::PrivateBus() {
    static std::atomic<unsigned> made;
    address_ = formatted("unix:abstract=egb-contract-{}-{}", ::getpid(), ++made);
    const auto file = folder_.write(
        "bus.conf", std::vformat(configuration,
                                 std::make_format_args(address_, EGB_DBUS_FOLDER "/org.eghostbuster1.conf")));
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        throw std::system_error{errno, std::generic_category(), "pipe2"};
    }
    const host::Fd ready{pipe[0]};
    host::Fd theirs{pipe[1]};
    const auto configuration_option = formatted("--config-file={}", file.string());
    const auto ready_option = formatted("--print-address={}", theirs.get());
    const auto log_file = folder_.path() / "bus.log";
    const host::Fd log{::open(log_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    daemon_ = ::fork();
    if (daemon_ == 0) {
        become_bus(configuration_option.c_str(), ready_option.c_str(), theirs.get(), log.get());
    }
    theirs.reset();
    char first{};
    if (daemon_ < 0 || ::read(ready.get(), &first, 1) != 1) {
        throw std::runtime_error{"dbus-daemon does not start, or refuses our policy file: " +
                                 read_file(log_file.string())};
    }
}

PrivateBus::~PrivateBus() {
    kill();
}

void PrivateBus::kill() {
    if (daemon_ > 0) {
        ::kill(daemon_, SIGKILL);
        ::waitpid(daemon_, nullptr, 0);
        daemon_ = 0;
    }
}

sd_bus* PrivateBus::connect(uid_t uid) const {
    const ActAs user{uid};
    sd_bus* bus{};
    must(sd_bus_new(&bus), "sd_bus_new");
    must(sd_bus_set_address(bus, address_.c_str()), "sd_bus_set_address");
    must(sd_bus_set_bus_client(bus, 1), "sd_bus_set_bus_client");
    must(sd_bus_start(bus), "sd_bus_start");
    return bus;
}

} // namespace egb::test
