// SPDX-License-Identifier: Apache-2.0
// What hold and ignore have in common: ghosts that are left alone for a time.
#pragma once

#include "commands/verb.hpp"
#include "context.hpp"
#include "selection.hpp"

#include <string_view>

namespace CLI {
class App;
} // namespace CLI

namespace egb::cli {

struct Respite {
    Selection selection;
    Span span{};
    bool release{};
};

/// One of the two verbs.
struct RespiteVerb {
    std::string_view deed; ///< "Hold"
    std::string_view done; ///< "held"
    Span usual;            ///< without --for
    Answer<> (Client::*call)(const std::vector<GhostId>& ids, Span span);
};

[[nodiscard]] Action declare_respite(CLI::App& app, const RespiteVerb& verb);

} // namespace egb::cli
