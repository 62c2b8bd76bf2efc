// SPDX-License-Identifier: Apache-2.0
// The generated proxies as the client uses them. Included by client*.cpp and by nothing else.
#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <kind_proxy.hpp>
#include <manager_proxy.hpp>

#include <map>
#include <string>

namespace egb::cli {

inline constexpr const char* service_name = "org.eghostbuster1";
inline constexpr const char* manager_path = "/org/eghostbuster1";
inline constexpr const char* kind_path = "/org/eghostbuster1/kind/";

using Properties = std::map<sdbus::PropertyName, sdbus::Variant>;

/// Calls only: who never registers for signals gets none.
class ManagerProxy : public sdbus::ProxyInterfaces<org::eghostbuster1::Manager_proxy> {
public:
    explicit ManagerProxy(sdbus::IConnection& connection)
        : ProxyInterfaces{connection, sdbus::ServiceName{service_name}, sdbus::ObjectPath{manager_path}} {}
    virtual ~ManagerProxy() = default;
    ManagerProxy(const ManagerProxy&) = delete;
    ManagerProxy& operator=(const ManagerProxy&) = delete;

    [[nodiscard]] Properties properties() {
        return getProxy().getAllProperties().onInterface(INTERFACE_NAME);
    }

protected:
    void onGhostAppeared(const std::uint64_t& /*id*/, const std::string& /*kind*/,
                         const std::string& /*grade*/, const std::string& /*summary*/,
                         const std::uint32_t& /*more*/) override {}
    void onActionPending(const std::uint64_t& /*id*/, const std::string& /*kind*/,
                         const std::string& /*summary*/, const std::uint64_t& /*usec*/,
                         const std::uint32_t& /*more*/) override {}
    void onGhostCleaned(const std::uint64_t& /*id*/, const std::string& /*kind*/,
                        const std::string& /*verdict*/, const std::string& /*reason*/,
                        const std::uint32_t& /*more*/) override {}
    void onGhostVanished(const std::uint64_t& /*id*/, const std::string& /*kind*/,
                         const std::string& /*reason*/, const std::uint32_t& /*more*/) override {}
};

class KindProxy final : public sdbus::ProxyInterfaces<org::eghostbuster1::Kind_proxy> {
public:
    KindProxy(sdbus::IConnection& connection, const std::string& kind)
        : ProxyInterfaces{connection, sdbus::ServiceName{service_name}, sdbus::ObjectPath{kind_path + kind}} {
    }

    [[nodiscard]] Properties properties() {
        return getProxy().getAllProperties().onInterface(INTERFACE_NAME);
    }
};

} // namespace egb::cli
