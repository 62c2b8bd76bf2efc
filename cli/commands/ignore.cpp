// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "respite.hpp"

namespace egb::cli {

Action declare_ignore(CLI::App& app) {
    return declare_respite(
        app, {.deed = "Ignore", .done = "ignored", .usual = std::chrono::days{1}, .call = &Client::ignore});
}

} // namespace egb::cli
