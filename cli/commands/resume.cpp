// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "json.hpp"

namespace egb::cli {

namespace {

ExitCode resume(Context& context) {
    const auto done = context.daemon().and_then([](Client* client) {
        return client->pause(Client::Acting::resumed);
    });
    if (!done) {
        return context.fail(done.error());
    }
    if (context.options().json) {
        print_json({{"paused", false}}, context);
    } else {
        context.tell("Resumed: the daemon acts again as its policy says.");
    }
    return ExitCode::ok;
}

} // namespace

Action declare_resume(CLI::App& /*app*/) {
    return resume;
}

} // namespace egb::cli
