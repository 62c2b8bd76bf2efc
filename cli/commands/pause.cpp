// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "json.hpp"

namespace egb::cli {

namespace {

ExitCode pause(Context& context) {
    const auto done = context.daemon().and_then([](Client* client) {
        return client->pause(Client::Acting::paused);
    });
    if (!done) {
        return context.fail(done.error());
    }
    if (context.options().json) {
        print_json({{"paused", true}}, context);
    } else {
        context.tell("Paused: ghosts are still found and reported, none is touched until `ghostctl resume`.");
    }
    return ExitCode::ok;
}

} // namespace

Action declare_pause(CLI::App& /*app*/) {
    return pause;
}

} // namespace egb::cli
