// SPDX-License-Identifier: Apache-2.0
// Somebody on the bus who talks to the daemon, through the same generated proxies as ghostctl. No thread of
// its own: signals and late answers arrive while it waits for them.
#pragma once

#include "contract/eventually.hpp"
#include "contract/private_bus.hpp"

#include <manager_proxy.hpp>
#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace egb::test {

inline constexpr const char* manager_path = "/org/eghostbuster1";
inline constexpr const char* manager_interface = "org.eghostbuster1.Manager";
inline constexpr const char* kind_interface = "org.eghostbuster1.Kind";
inline constexpr const char* log_control_path = "/org/freedesktop/LogControl1";
inline constexpr const char* log_control_interface = "org.freedesktop.LogControl1";

/// One of the four signals.
struct SeenSignal {
    std::string name;
    std::uint64_t id{};
    std::string kind;
    std::string text; ///< grade, summary, verdict, reason: what there is, separated by blanks
    std::uint32_t more{};
};

/// The Manager as ghostctl sees it.
class ManagerClient final : public sdbus::ProxyInterfaces<org::eghostbuster1::Manager_proxy> {
public:
    explicit ManagerClient(sdbus::IConnection& connection);
    ~ManagerClient();
    ManagerClient(const ManagerClient&) = delete;
    ManagerClient& operator=(const ManagerClient&) = delete;

    [[nodiscard]] const std::vector<SeenSignal>& signals() const { return signals_; }

private:
    void onGhostAppeared(const std::uint64_t& id, const std::string& kind, const std::string& grade,
                         const std::string& summary, const std::uint32_t& more) override;
    void onActionPending(const std::uint64_t& id, const std::string& kind, const std::string& summary,
                         const std::uint64_t& usec, const std::uint32_t& more) override;
    void onGhostCleaned(const std::uint64_t& id, const std::string& kind, const std::string& verdict,
                        const std::string& reason, const std::uint32_t& more) override;
    void onGhostVanished(const std::uint64_t& id, const std::string& kind, const std::string& reason,
                         const std::uint32_t& more) override;

    std::vector<SeenSignal> signals_;
};

/// PropertiesChanged of one interface of one object, name by name.
class ChangedProperties {
public:
    ChangedProperties(sdbus::IConnection& connection, const std::string& path, const std::string& interface);

    /// The values that came since the last call.
    [[nodiscard]] std::map<std::string, sdbus::Variant> take() { return std::exchange(changed_, {}); }
    [[nodiscard]] std::size_t size() const { return changed_.size(); }

private:
    std::unique_ptr<sdbus::IProxy> proxy_;
    std::map<std::string, sdbus::Variant> changed_;
};

class Client {
public:
    explicit Client(const PrivateBus& bus, uid_t uid = 0);

    [[nodiscard]] ManagerClient& manager() { return *manager_; }
    [[nodiscard]] sdbus::IConnection& connection() { return *connection_; }
    [[nodiscard]] sd_bus* raw() { return bus_; }

    /// As if every call were made by a program that can wait for a password.
    void allow_interaction() { sd_bus_set_allow_interactive_authorization(bus_, 1); }

    [[nodiscard]] std::string introspect(const std::string& path);
    [[nodiscard]] sdbus::Variant property(const std::string& path, const std::string& interface,
                                          const std::string& name);
    void set_property(const std::string& path, const std::string& interface, const std::string& name,
                      const sdbus::Variant& value);

    /// Takes what comes in until `done`; false when that was not within `patience`.
    template <typename Done>
    bool wait_until(Done done) {
        return eventually([&] {
            take_in();
            return done();
        });
    }

    /// Takes in all that the daemon has sent before it answers one more call.
    void catch_up();

private:
    void take_in();
    [[nodiscard]] std::unique_ptr<sdbus::IProxy> proxy(const std::string& path);

    std::unique_ptr<sdbus::IConnection> connection_;
    sd_bus* bus_{}; ///< the connection's
    std::unique_ptr<ManagerClient> manager_;
};

/// The error that the call is answered with; with an empty name when there was none.
template <typename Call>
sdbus::Error error_of(const Call& call) {
    try {
        call();
    } catch (const sdbus::Error& error) {
        return error;
    }
    return sdbus::Error{sdbus::Error::Name{}, ""};
}

/// Its name alone; empty when there was none.
template <typename Call>
std::string error_name_of(const Call& call) {
    return error_of(call).getName();
}

} // namespace egb::test
