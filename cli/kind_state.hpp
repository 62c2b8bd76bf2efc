// SPDX-License-Identifier: Apache-2.0
// How the daemon and its kinds are, in a word: the same for status, kinds and doctor.
#pragma once

#include "client.hpp"
#include "colour.hpp"
#include "failure.hpp"
#include "model.hpp"

#include <string_view>
#include <vector>

namespace egb::cli {

struct State {
    std::string_view word; ///< part of the JSON shape
    Style style{Style::plain};
};

/// ok, report-only (for now, and `trouble` says why), off (by configuration) or failed.
[[nodiscard]] State state_of(const KindView& kind);

/// degraded, dry-run, paused, report-only (some kind is, or has failed) or ok.
[[nodiscard]] State state_of(const ManagerView& manager, const std::vector<KindView>& kinds);

/// Those of these names, in their order.
[[nodiscard]] Answer<std::vector<KindView>> kinds_of(Client& client, const std::vector<std::string>& names);

} // namespace egb::cli
