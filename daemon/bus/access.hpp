// SPDX-License-Identifier: Apache-2.0
// The bouncer: who may call what. Default deny: a method that is not in the table does not exist for anybody.
// Reading is open to every local user, as /proc is; what changes or traces asks polkit. Owned by the Bus,
// runs on the loop, never waits: whoever the bus calls uid 0 is let in, all others are a question to polkit
// whose answer comes when it comes. It speaks to sd-bus directly: the flag that allows interactive
// authorisation has no accessor in sdbus-c++, and a pending call there may not be dropped by its own reply.
#pragma once

#include "bus/call_budget.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "host/monotonic_clock.hpp"

#include <sdbus-c++/Error.h>
#include <systemd/sd-bus.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace egb::bus {

/// A method of org.eghostbuster1.Manager and the polkit action that a caller needs for it.
struct Rule {
    std::string_view method;
    std::string_view action; ///< empty: open to everyone
    unsigned cost{1};        ///< of a call, in the budget of its sender
};

/// The whole table. A contract test holds it against dbus/*.xml and dbus/*.policy.
[[nodiscard]] std::span<const Rule> rules();

/// Somebody who was let in.
struct Caller {
    std::uint32_t uid{};

    /// For the record: "uid 1000".
    [[nodiscard]] std::string actor() const;
};

/// An sd-bus slot with an owner: the call or match behind it ends with it.
struct SlotUnref {
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using SlotPtr = std::unique_ptr<sd_bus_slot, SlotUnref>;

class Bouncer {
public:
    /// What polkit may tell the person who is asked, under the names in dbus/org.eghostbuster1.policy.
    using Details = std::map<std::string, std::string>;
    using Verdict = std::expected<Caller, sdbus::Error>;
    /// Called once, perhaps before check() returns; never when the caller has gone before the verdict.
    using Then = std::move_only_function<void(const Verdict&)>;

    /// From now on nothing reaches an object on this connection that the table does not list, nor more of it
    /// from one user than the allowance; root may call as often as it likes. `patience` is how long a person
    /// may take to type a password.
    explicit Bouncer(sd_bus* bus, const Allowance& allowance = {}, Span patience = std::chrono::minutes{2});
    ~Bouncer();
    Bouncer(const Bouncer&) = delete;
    Bouncer& operator=(const Bouncer&) = delete;

    /// May the sender of the method call that is being processed do what it asks for?
    void check(Details details, Then then);

private:
    struct Check;
    struct Sender;

    static int on_message(sd_bus_message* message, void* bouncer, sd_bus_error* error);
    static int on_sender_uid(sd_bus_message* reply, void* sender, sd_bus_error* error);
    static int on_uid(sd_bus_message* reply, void* check, sd_bus_error* error);
    static int on_watching(sd_bus_message* reply, void* check, sd_bus_error* error);
    static int on_gone(sd_bus_message* signal, void* check, sd_bus_error* error);
    static int on_answer(sd_bus_message* reply, void* check, sd_bus_error* error);

    [[nodiscard]] std::optional<sdbus::Error> why_not(sd_bus_message* call);
    [[nodiscard]] const Sender& sender_of(sd_bus_message* call);
    [[nodiscard]] bool too_many(std::uint32_t uid) const;
    [[nodiscard]] Result<> ask_uid(Check& check);
    [[nodiscard]] Result<> watch(Check& check);
    [[nodiscard]] Result<> ask_polkit(Check& check);
    void identified(Check& check, std::uint32_t uid);
    void cancel(const Check& check);
    void settle(Check& check, const Verdict& verdict);

    sd_bus* bus_;
    Span patience_;
    host::MonotonicClock clock_;
    CallBudget budget_;
    std::map<std::string, std::unique_ptr<Sender>, std::less<>> senders_; ///< by unique name
    SlotPtr gate_;
    std::uint64_t last_number_{};
    std::map<std::uint64_t, std::unique_ptr<Check>> checks_; ///< by number
};

} // namespace egb::bus
