// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/utf8.hpp"
#include "json.hpp"

#include <ostream>

namespace egb::cli {

namespace {

/// A daemon that does not run has no version; that is an answer too.
ExitCode version(Context& context) {
    const auto daemon = context.daemon().and_then([](Client* client) {
        return client->manager();
    });
    if (context.options().json) {
        using Version = decltype(JsonMember::value);
        print_json({{"ghostctl", context.version()},
                    {"eghostbusterd", daemon ? Version{daemon->version} : Version{nullptr}}},
                   context);
        return ExitCode::ok;
    }
    context.out() << "ghostctl " << context.version() << '\n'
                  << "eghostbusterd " << (daemon ? printable(daemon->version) : "(not reachable)") << '\n';
    return ExitCode::ok;
}

} // namespace

Action declare_version(CLI::App& /*app*/) {
    return version;
}

} // namespace egb::cli
