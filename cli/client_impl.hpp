// SPDX-License-Identifier: Apache-2.0
// The inside of Client. Included by client*.cpp and by nothing else.
#pragma once

#include "agent.hpp"
#include "client.hpp"
#include "proxies.hpp"

#include <systemd/sd-bus.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace egb::cli {

class Client::Impl {
public:
    Impl(ConnectOptions options, sd_bus* bus, std::unique_ptr<sdbus::IConnection> connection);

    /// A question that everybody may ask.
    template <std::invocable Call>
    auto ask(Call call) -> Answer<std::invoke_result_t<Call>> {
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
                call();
                return {};
            } else {
                return call();
            }
        } catch (const sdbus::Error& error) {
            return std::unexpected(failure(error));
        }
    }

    /// A wish that may need a password: there is somebody to ask for it, and more time.
    template <std::invocable Call>
    auto change(Call call) -> Answer<std::invoke_result_t<Call>> {
        prepare_for_password();
        return ask(std::move(call));
    }

    /// change() for as many ids as one call takes, until all have had it or one call fails.
    [[nodiscard]] Answer<> in_batches(const std::vector<GhostId>& ids,
                                      const std::function<void(const std::vector<GhostId>&)>& call);

    /// Ours, as the machine has it; nothing when the daemon does not say.
    [[nodiscard]] std::int32_t our_pid();

    [[nodiscard]] sdbus::IConnection& connection() { return *connection_; }
    [[nodiscard]] sd_bus* bus() { return bus_; }
    [[nodiscard]] ManagerProxy& manager() { return manager_; }
    [[nodiscard]] const ConnectOptions& options() const { return options_; }

private:
    [[nodiscard]] Failure failure(const sdbus::Error& error) const;
    void prepare_for_password();

    ConnectOptions options_;
    sd_bus* bus_; ///< connection_ owns it
    std::unique_ptr<sdbus::IConnection> connection_;
    ManagerProxy manager_;
    std::optional<PasswordAgent> agent_;
    std::optional<std::int32_t> our_pid_;
};

} // namespace egb::cli
