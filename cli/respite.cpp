// SPDX-License-Identifier: Apache-2.0
#include "respite.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"
#include "json.hpp"
#include "options.hpp"
#include "text.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace egb::cli {

namespace {

std::string told(const Respite& respite, const RespiteVerb& verb, std::size_t count) {
    if (respite.span == Span::zero()) {
        return formatted("{} no longer {}.", counted(count, "ghost"), verb.done);
    }
    if (respite.span == forever) {
        return formatted("{} {} for good.", counted(count, "ghost"), verb.done);
    }
    return formatted("{} {} for {}.", counted(count, "ghost"), verb.done, format_span(respite.span));
}

ExitCode grant(const Respite& respite, const RespiteVerb& verb, Client& client, Context& context) {
    const auto ids = select(respite.selection, verb.deed, client, context);
    if (!ids) {
        return context.fail(ids.error());
    }
    if (const auto done = (client.*verb.call)(*ids, respite.span); !done) {
        return context.fail(done.error());
    }
    if (context.options().json) {
        print_json({{verb.done, *ids}, {"usec", usec_of(respite.span)}}, context);
    } else {
        context.tell(told(respite, verb, ids->size()));
    }
    return ExitCode::ok;
}

} // namespace

Action declare_respite(CLI::App& app, const RespiteVerb& verb) {
    const auto respite = std::make_shared<Respite>();
    respite->span = verb.usual;
    auto* const span =
        add_span(app,
                 {"-f,--for", "SPAN",
                  formatted("For how long: 30min, 2h, infinity; {} if not given", format_span(verb.usual))},
                 respite->span);
    add_flag(app, {"--release", "", "End it now"}, respite->release)->excludes(span);
    add_selection(app, respite->selection);
    return [respite, verb](Context& context) {
        const auto daemon = context.daemon();
        if (!daemon) {
            return context.fail(daemon.error());
        }
        if (respite->release) {
            respite->span = Span::zero();
        }
        return grant(*respite, verb, **daemon, context);
    };
}

} // namespace egb::cli
