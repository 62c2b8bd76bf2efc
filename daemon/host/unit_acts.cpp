// SPDX-License-Identifier: Apache-2.0
#include "host/unit_acts.hpp"

#include "core/time_span.hpp"
#include "host/pidfd.hpp"
#include "host/process_lookup.hpp"

#include <systemd/sd-bus.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>
#include <utility>

namespace egb::host {

namespace {

/// The loop waits for each answer, and the watchdog for the loop.
constexpr std::chrono::microseconds patience{std::chrono::seconds{2}};

constexpr const char* usual_address = "unix:path=/run/dbus/system_bus_socket";
constexpr const char* systemd = "org.freedesktop.systemd1";

struct CloseBus {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct DropMessage {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Bus = std::unique_ptr<sd_bus, CloseBus>;
using Message = std::unique_ptr<sd_bus_message, DropMessage>;

class BusError {
public:
    BusError() = default;
    ~BusError() { sd_bus_error_free(&error_); }
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;

    [[nodiscard]] sd_bus_error* get() { return &error_; }

    [[nodiscard]] std::unexpected<Error> told(int code) const {
        const bool denied =
            sd_bus_error_has_name(&error_, SD_BUS_ERROR_ACCESS_DENIED) != 0 ||
            sd_bus_error_has_name(&error_, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) != 0;
        if (denied) {
            return fail(ErrorCode::denied,
                        "polkit does not let us: eghostbusterd(8) says which rule it needs");
        }
        if (code == -ETIMEDOUT || sd_bus_error_has_name(&error_, SD_BUS_ERROR_NO_REPLY) != 0) {
            return fail(ErrorCode::lost, "systemd has not answered");
        }
        return error_.message == nullptr ? fail_errno("systemd", -code)
                                         : fail(ErrorCode::io, "systemd: {}", error_.message);
    }

private:
    sd_bus_error error_{};
};

/// sd_bus_open_system() would wait for its greeting longer than we can.
Result<Bus> open_bus() {
    sd_bus* bus = nullptr;
    if (const int code = sd_bus_new(&bus); code < 0) {
        return fail_errno("the system bus", -code);
    }
    Bus opened{bus};
    const char* const address = ::secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
    int code = sd_bus_set_address(bus, address == nullptr ? usual_address : address);
    code = code < 0 ? code : sd_bus_set_bus_client(bus, 1);
    code =
        code < 0 ? code : sd_bus_set_method_call_timeout(bus, static_cast<std::uint64_t>(patience.count()));
    code = code < 0 ? code : sd_bus_start(bus);
    return code < 0 ? Result<Bus>{fail_errno("the system bus", -code)} : Result<Bus>{std::move(opened)};
}

/// Calls a method of systemd's manager. A call that is not answered in time ends with ErrorCode::lost.
template <typename... Args>
Result<Message> call(const Bus& bus, const char* method, const char* types, Args... args) {
    BusError error;
    sd_bus_message* reply = nullptr;
    const int code =
        sd_bus_call_method(bus.get(), systemd, "/org/freedesktop/systemd1",
                           "org.freedesktop.systemd1.Manager", method, error.get(), &reply, types, args...);
    if (code < 0) {
        return error.told(code);
    }
    return Message{reply};
}

struct Unit {
    std::string name;
    std::uint32_t main_pid{};
};

Result<Unit> unit_of(const Bus& bus, const Fd& pidfd) {
    const auto reply = call(bus, "GetUnitByPIDFD", "h", pidfd.get());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const char* path = nullptr;
    const char* name = nullptr;
    if (const int code = sd_bus_message_read(reply->get(), "os", &path, &name); code < 0) {
        return fail_errno("systemd's answer", -code);
    }
    Unit unit{.name = name};
    BusError error;
    const int code = sd_bus_get_property_trivial(bus.get(), systemd, path, "org.freedesktop.systemd1.Service",
                                                 "MainPID", error.get(), 'u', &unit.main_pid);
    return code < 0 ? Result<Unit>{error.told(code)} : Result<Unit>{std::move(unit)};
}

/// By the clock that counts sleep.
Span uptime() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

/// When a process was started, by the same clock.
Span start_of(const ProcessIdentity& process) {
    return Span{static_cast<Span::rep>(ProcessLookup::boottime_of(process.start_ticks))};
}

Result<> be_old_enough(Span age, Span least, std::string_view what) {
    if (age < least) {
        return fail(ErrorCode::busy, "{} {} ago, and that is done once in {} at most", what,
                    format_span(std::chrono::floor<std::chrono::seconds>(age)), format_span(least));
    }
    return {};
}

} // namespace

Result<> UnitActs::ask(const UnitTarget& target, UnitAct act, Earnest earnest) {
    const Span now = uptime();
    if (auto young = be_old_enough(now - start_of(target.process), target.every, "it was started"); !young) {
        return young;
    }
    if (const auto before = asked_.find(target.unit); before != asked_.end()) {
        if (auto young = be_old_enough(now - before->second, target.every, "its unit was seen to"); !young) {
            return young;
        }
    }
    const auto pidfd = pidfd_of(procfs_, target.process);
    const auto pid = procfs_.our_pid_of(target.process.pid);
    if (!pidfd || !pid) {
        return std::unexpected(!pidfd ? pidfd.error() : pid.error());
    }
    const auto bus = open_bus();
    if (!bus) {
        return std::unexpected(bus.error());
    }
    const auto unit = unit_of(*bus, *pidfd);
    if (!unit) {
        return std::unexpected(unit.error());
    }
    if (unit->name != target.unit || std::cmp_not_equal(unit->main_pid, *pid)) {
        return fail(ErrorCode::changed, "process {} is not the main process of {}", target.process.pid,
                    target.unit);
    }
    if (earnest == Earnest::rehearsal) {
        return fail(ErrorCode::denied, "dry run: systemd was not asked");
    }
    // One that is stopped by now stays so, and a job that is queued already is not thrown out.
    const char* const method = act == UnitAct::reload ? "ReloadUnit" : "TryRestartUnit";
    const auto asked = call(*bus, method, "ss", target.unit.c_str(), "fail");
    if (!asked && asked.error().code != ErrorCode::lost) {
        return std::unexpected(asked.error());
    }
    // What it has not answered in time it may do yet.
    asked_.insert_or_assign(target.unit, now);
    return {};
}

} // namespace egb::host
