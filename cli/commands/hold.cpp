// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "respite.hpp"

namespace egb::cli {

Action declare_hold(CLI::App& app) {
    return declare_respite(
        app, {.deed = "Hold", .done = "held", .usual = std::chrono::hours{1}, .call = &Client::hold});
}

} // namespace egb::cli
