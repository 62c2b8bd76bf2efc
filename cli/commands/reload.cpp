// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "json.hpp"

namespace egb::cli {

namespace {

ExitCode reload(Context& context) {
    const auto done = context.daemon().and_then([](Client* client) {
        return client->reload();
    });
    if (!done) {
        auto failure = done.error();
        if (failure.code == ExitCode::usage || failure.code == ExitCode::refused) {
            failure.hint = "The configuration is as it was before.";
        }
        return context.fail(failure);
    }
    if (context.options().json) {
        print_json({{"reloaded", true}}, context);
    } else {
        context.tell("The configuration has been read again.");
    }
    return ExitCode::ok;
}

} // namespace

Action declare_reload(CLI::App& /*app*/) {
    return reload;
}

} // namespace egb::cli
