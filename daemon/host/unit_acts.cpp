// SPDX-License-Identifier: Apache-2.0
#include "host/unit_acts.hpp"

#include "core/time_span.hpp"
#include "host/pidfd.hpp"

#include <systemd/sd-bus.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <string_view>

namespace egb::host {

namespace {

/// The loop waits for it, and the watchdog for the loop.
constexpr std::chrono::microseconds patience{std::chrono::seconds{3}};

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
        return error_.message == nullptr ? fail_errno("systemd", -code)
                                         : fail(ErrorCode::io, "systemd: {}", error_.message);
    }

private:
    sd_bus_error error_{};
};

Result<Bus> open_bus() {
    sd_bus* bus = nullptr;
    if (const int code = sd_bus_open_system(&bus); code < 0) {
        return fail_errno("the system bus", -code);
    }
    Bus opened{bus};
    sd_bus_set_method_call_timeout(bus, static_cast<std::uint64_t>(patience.count()));
    return opened;
}

/// Calls a method of systemd's manager.
template <typename... Args>
Result<Message> call(const Bus& bus, const char* method, const char* types, Args... args) {
    BusError error;
    sd_bus_message* reply = nullptr;
    const int code =
        sd_bus_call_method(bus.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                           "org.freedesktop.systemd1.Manager", method, error.get(), &reply, types, args...);
    if (code < 0) {
        return error.told(code);
    }
    return Message{reply};
}

Result<std::string> unit_of(const Bus& bus, const Fd& pidfd) {
    const auto reply = call(bus, "GetUnitByPIDFD", "h", pidfd.get());
    if (!reply) {
        return std::unexpected(reply.error());
    }
    const char* path = nullptr;
    const char* unit = nullptr;
    if (const int code = sd_bus_message_read(reply->get(), "os", &path, &unit); code < 0) {
        return fail_errno("systemd's answer", -code);
    }
    return std::string{unit};
}

/// How long a process has run, sleep included.
Span age_of(const ProcessIdentity& process) {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const Span started = std::chrono::seconds{process.start_ticks / ticks} +
                         std::chrono::nanoseconds{process.start_ticks % ticks * (1'000'000'000 / ticks)};
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec} - started;
}

} // namespace

Result<> ask_unit(const ProcFs& procfs, const UnitTarget& target, UnitAct act, Earnest earnest) {
    const auto pidfd = pidfd_of(procfs, target.process);
    if (!pidfd) {
        return std::unexpected(pidfd.error());
    }
    if (const Span age = age_of(target.process); age < target.least_age) {
        return fail(ErrorCode::busy, "it has run for {} only, and a unit is touched once in {} at most",
                    format_span(std::chrono::floor<std::chrono::seconds>(age)),
                    format_span(target.least_age));
    }
    const auto bus = open_bus();
    if (!bus) {
        return std::unexpected(bus.error());
    }
    const auto unit = unit_of(*bus, *pidfd);
    if (!unit) {
        return std::unexpected(unit.error());
    }
    if (*unit != target.unit) {
        return fail(ErrorCode::changed, "its process is of {}, and not of {}", *unit, target.unit);
    }
    if (earnest == Earnest::rehearsal) {
        return fail(ErrorCode::denied, "dry run: systemd was not asked");
    }
    // One that is stopped by now stays so, and a job that is queued already is not thrown out.
    const char* const method = act == UnitAct::reload ? "ReloadUnit" : "TryRestartUnit";
    return call(*bus, method, "ss", target.unit.c_str(), "fail").transform([](const Message&) {});
}

} // namespace egb::host
