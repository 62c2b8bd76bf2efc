// SPDX-License-Identifier: Apache-2.0
#include "contract/client.hpp"

#include "core/format.hpp"

#include <utility>

namespace egb::test {

namespace {

const sdbus::ServiceName service{"org.eghostbuster1"};

} // namespace

ManagerClient::ManagerClient(sdbus::IConnection& connection)
    : ProxyInterfaces{connection, service, sdbus::ObjectPath{manager_path}} {
    registerProxy();
}

ManagerClient::~ManagerClient() {
    unregisterProxy();
}

void ManagerClient::onGhostAppeared(const std::uint64_t& id, const std::string& kind,
                                    const std::string& grade, const std::string& summary,
                                    const std::uint32_t& more) {
    signals_.push_back({"GhostAppeared", id, kind, formatted("{} {}", grade, summary), more});
}

void ManagerClient::onActionPending(const std::uint64_t& id, const std::string& kind,
                                    const std::string& summary, const std::uint64_t& usec,
                                    const std::uint32_t& more) {
    signals_.push_back({"ActionPending", id, kind, formatted("{} {}", summary, usec), more});
}

void ManagerClient::onGhostCleaned(const std::uint64_t& id, const std::string& kind,
                                   const std::string& verdict, const std::string& reason,
                                   const std::uint32_t& more) {
    signals_.push_back({"GhostCleaned", id, kind, formatted("{} {}", verdict, reason), more});
}

void ManagerClient::onGhostVanished(const std::uint64_t& id, const std::string& kind,
                                    const std::string& reason, const std::uint32_t& more) {
    signals_.push_back({"GhostVanished", id, kind, reason, more});
}

ChangedProperties::ChangedProperties(sdbus::IConnection& connection, const std::string& path,
                                     const std::string& interface)
    : proxy_{sdbus::createProxy(connection, service, sdbus::ObjectPath{path})} {
    proxy_->uponSignal("PropertiesChanged")
        .onInterface("org.freedesktop.DBus.Properties")
        .call([this, interface](const std::string& changed_interface,
                                std::map<std::string, sdbus::Variant> changed,
                                const std::vector<std::string>& /*invalidated*/) {
            if (changed_interface == interface) {
                changed_.merge(changed);
            }
        });
}

Client::Client(const PrivateBus& bus, uid_t uid) {
    auto* const raw = bus.connect(uid);
    connection_ = sdbus::createBusConnection(raw);
    bus_ = raw;
    manager_ = std::make_unique<ManagerClient>(*connection_);
}

std::unique_ptr<sdbus::IProxy> Client::proxy(const std::string& path) {
    return sdbus::createProxy(*connection_, service, sdbus::ObjectPath{path});
}

std::string Client::introspect(const std::string& path) {
    std::string xml;
    proxy(path)
        ->callMethod("Introspect")
        .onInterface("org.freedesktop.DBus.Introspectable")
        .storeResultsTo(xml);
    return xml;
}

sdbus::Variant Client::property(const std::string& path, const std::string& interface,
                                const std::string& name) {
    return proxy(path)->getProperty(name).onInterface(interface);
}

void Client::set_property(const std::string& path, const std::string& interface, const std::string& name,
                          const sdbus::Variant& value) {
    proxy(path)->setProperty(name).onInterface(interface).toValue(value);
}

void Client::catch_up() {
    (void)manager_->Version();
    while (sd_bus_process(bus_, nullptr) > 0) {
    }
}

void Client::take_in() {
    if (sd_bus_process(bus_, nullptr) == 0) {
        constexpr std::uint64_t a_moment_in_usec = 10'000;
        sd_bus_wait(bus_, a_moment_in_usec);
    }
}

} // namespace egb::test
