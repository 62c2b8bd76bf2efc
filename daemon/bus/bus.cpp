// SPDX-License-Identifier: Apache-2.0
#include "bus/bus.hpp"

#include "bus/access.hpp"
#include "bus/kind_object.hpp"
#include "bus/log_control.hpp"
#include "bus/manager.hpp"
#include "bus/wire.hpp"
#include "core/format.hpp"
#include "core/kind_info.hpp"
#include "core/utf8.hpp"

#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace egb::bus {

namespace {

struct BusUnref {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
using BusPtr = std::unique_ptr<sd_bus, BusUnref>;

void must(int result, const std::string& what) {
    if (result < 0) {
        throw std::system_error{-result, std::generic_category(), what};
    }
}

BusPtr open_system_bus() {
    sd_bus* bus{};
    must(sd_bus_open_system(&bus), "Cannot connect to the system bus");
    return BusPtr{bus};
}

BusPtr open_bus_at(const std::string& address) {
    sd_bus* fresh{};
    must(sd_bus_new(&fresh), "Cannot connect to the bus");
    BusPtr bus{fresh};
    must(sd_bus_set_address(fresh, address.c_str()), formatted("Not a bus address: {}", address));
    must(sd_bus_set_bus_client(fresh, 1), "Cannot connect to the bus");
    must(sd_bus_start(fresh), formatted("Cannot connect to the bus at {}", address));
    return bus;
}

template <typename Emit>
void emit(Emit emit_all) {
    try {
        emit_all();
    } catch (const sdbus::Error&) {
        return; // heard by nobody any more; that the bus is lost is told once, by on_lost
    }
}

} // namespace

/// Signals before and after there is an object to emit them.
class Bus::Emitter final : public Signals {
public:
    void attach(ManagerObject& manager) { manager_ = &manager; }

    void ghost_appeared(const Ghost& ghost, std::uint32_t more) override {
        tell([&](ManagerObject& manager) {
            manager.emitGhostAppeared(ghost.id, name_of(ghost), std::string{to_string(ghost.grade)},
                                      printable(ghost.summary), more);
        });
    }

    void action_pending(const Ghost& ghost, Span until_act, std::uint32_t more) override {
        tell([&](ManagerObject& manager) {
            manager.emitActionPending(ghost.id, name_of(ghost), printable(ghost.summary),
                                      wire_span(until_act), more);
        });
    }

    void ghost_cleaned(const Ghost& ghost, const Outcome& outcome, std::uint32_t more) override {
        tell([&](ManagerObject& manager) {
            manager.emitGhostCleaned(ghost.id, name_of(ghost), std::string{to_string(outcome.verdict)},
                                     printable(outcome.reason), more);
        });
    }

    void ghost_vanished(const Ghost& ghost, std::string_view reason, std::uint32_t more) override {
        tell([&](ManagerObject& manager) {
            manager.emitGhostVanished(ghost.id, name_of(ghost), printable(reason), more);
        });
    }

private:
    static std::string name_of(const Ghost& ghost) { return std::string{ghost.kind->name}; }

    template <typename Tell>
    void tell(Tell tell_manager) {
        if (manager_ != nullptr) {
            emit([&] {
                tell_manager(*manager_);
            });
        }
    }

    ManagerObject* manager_{};
};

Bus::Bus(loop::EventLoop& loop, loop::WorkerPool& workers, const std::string& address, OnLost on_lost)
    : workers_{workers}, on_lost_{std::move(on_lost)}, emitter_{std::make_unique<Emitter>()} {
    auto bus = address.empty() ? open_system_bus() : open_bus_at(address);
    bus_ = bus.get();
    connection_ = sdbus::createBusConnection(bus.release());
    // Not sdbus-c++'s own event sources: those throw through C when the bus goes away.
    must(sd_bus_attach_event(bus_, loop.get(), static_cast<int>(loop::Priority::bus)),
         "Cannot put the bus on the loop");
    must(sd_bus_match_signal(bus_, nullptr, "org.freedesktop.DBus.Local", nullptr,
                             "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, this),
         "Cannot watch the bus connection");
}

Bus::~Bus() = default;

int Bus::on_disconnected(sd_bus_message* /*signal*/, void* bus, sd_bus_error* /*error*/) noexcept {
    static_cast<Bus*>(bus)->on_lost_();
    return 0;
}

void Bus::serve(Control& control, LogTarget& log, const Allowance& allowance) {
    bouncer_ = std::make_unique<Bouncer>(bus_, allowance);
    manager_ = std::make_unique<ManagerObject>(*connection_, control, *bouncer_, workers_);
    for (const auto& kind : control.status().kinds) {
        kinds_.push_back(std::make_unique<KindObject>(*connection_, control, kind));
    }
    log_control_ = std::make_unique<LogControlObject>(*connection_, log);
    emitter_->attach(*manager_);
}

void Bus::own_name() {
    const int taken = sd_bus_request_name(bus_, "org.eghostbuster1", 0);
    if (taken == -EEXIST) {
        throw std::runtime_error{"org.eghostbuster1 is taken on the bus: another eghostbusterd is running"};
    }
    if (taken == -EACCES || taken == -EPERM) {
        throw std::runtime_error{
            "The bus does not let us take org.eghostbuster1: is org.eghostbuster1.conf in "
            "dbus-1/system.d, and the daemon started as the user it names?"};
    }
    must(taken, "Cannot take the name org.eghostbuster1");
}

void Bus::publish() {
    if (!manager_) {
        return;
    }
    emit([this] {
        manager_->publish();
        for (const auto& kind : kinds_) {
            kind->publish();
        }
    });
}

Signals& Bus::signals() {
    return *emitter_;
}

} // namespace egb::bus
