// SPDX-License-Identifier: Apache-2.0
// The daemon on the bus: the connection and every object on it. Owned by the daemon, runs on its loop, never
// blocks there once it serves. The order of a start is: construct, serve(), first sweep, own_name().
#pragma once

#include "bus/call_budget.hpp"
#include "bus/control.hpp"
#include "bus/log_target.hpp"
#include "bus/signals.hpp"
#include "loop/event_loop.hpp"
#include "loop/worker_pool.hpp"

#include <systemd/sd-bus.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sdbus {
class IConnection;
} // namespace sdbus

namespace egb::bus {

class Bouncer;
class KindObject;
class LogControlObject;
class ManagerObject;

class Bus {
public:
    /// Told once when the bus goes away: from then on nobody can be served, and the daemon should end with a
    /// failure so that it is started anew.
    using OnLost = std::function<void()>;

    /// Connects to the system bus, or to the bus at `address` when it is not empty. Throws std::runtime_error
    /// when there is none. The loop and the workers must outlive it; the workers look up paths that may be on
    /// a file server that does not answer.
    Bus(loop::EventLoop& loop, loop::WorkerPool& workers, const std::string& address, OnLost on_lost);
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    /// Exports the Manager, one object for each of control.status().kinds, and LogControl1. Both arguments
    /// are used from the loop, for as long as it runs. `allowance` is each user's, but for root. Once.
    void serve(Control& control, LogTarget& log, const Allowance& allowance = {});

    /// Takes the name org.eghostbuster1; throws std::runtime_error when somebody else has it, or the bus does
    /// not let us. The last step of a start.
    void own_name();

    /// Tells the bus which properties have changed since the last call. Does nothing before serve(). How
    /// often is the caller's choice.
    void publish();

    /// Where sinks::BusSink emits. What is emitted before serve() is heard by nobody.
    [[nodiscard]] Signals& signals();

private:
    class Emitter;

    static int on_disconnected(sd_bus_message* signal, void* bus, sd_bus_error* error) noexcept;

    loop::WorkerPool& workers_;
    OnLost on_lost_;
    std::unique_ptr<sdbus::IConnection> connection_; ///< before all that is exported on it
    sd_bus* bus_{};                                  ///< the connection's
    std::unique_ptr<Emitter> emitter_;
    std::unique_ptr<Bouncer> bouncer_;
    std::unique_ptr<ManagerObject> manager_;
    std::vector<std::unique_ptr<KindObject>> kinds_;
    std::unique_ptr<LogControlObject> log_control_;
};

} // namespace egb::bus
