// SPDX-License-Identifier: Apache-2.0
#include "kind_state.hpp"

#include <algorithm>

namespace egb::cli {

State state_of(const KindView& kind) {
    if (!kind.enabled) {
        return kind.trouble.empty() ? State{"off", Style::faint} : State{"failed", Style::bad};
    }
    return kind.trouble.empty() ? State{"ok", Style::good} : State{"report-only", Style::warning};
}

State state_of(const ManagerView& manager, const std::vector<KindView>& kinds) {
    if (!manager.troubles.empty()) {
        return {"degraded", Style::bad};
    }
    if (std::ranges::any_of(kinds, [](const KindView& kind) {
            return !kind.trouble.empty();
        })) {
        return {"report-only", Style::warning};
    }
    if (manager.dry_run) {
        return {"dry-run", Style::warning};
    }
    return manager.paused ? State{"paused", Style::warning} : State{"ok", Style::good};
}

Answer<std::vector<KindView>> kinds_of(Client& client, const std::vector<std::string>& names) {
    std::vector<KindView> kinds;
    for (const auto& name : names) {
        auto kind = client.kind(name);
        if (!kind) {
            return std::unexpected(kind.error());
        }
        kinds.push_back(*std::move(kind));
    }
    return kinds;
}

} // namespace egb::cli
