// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/mechanisms.hpp"

#include "core/format.hpp"

#include <algorithm>

namespace egb::lockfile {

Result<> Mechanisms::attach() {
    for (std::size_t at = 0; at < all_.size(); ++at) {
        const std::string lack = why_not(all_[at]);
        if (lack.empty()) {
            in_use_ = at;
            // What the others have loaded before they failed goes with them.
            for (std::size_t failed = 0; failed < at; ++failed) {
                all_[failed].events.reset();
            }
            return {};
        }
        lacks_ += formatted("; not by {}: {}", all_[at].name, lack);
    }
    return fail(ErrorCode::unsupported, "it cannot be seen here that files are made{}", lacks_);
}

/// Attaches it; empty when that has worked.
std::string Mechanisms::why_not(const Mechanism& mechanism) const {
    if (permitted_ != any && permitted_ != mechanism.name) {
        return formatted("See={}", permitted_);
    }
    if (const auto attached = mechanism.events->attach(); !attached) {
        return attached.error().message;
    }
    const bool lacks_all = std::ranges::none_of(mechanism.either, [&](std::string_view program) {
        return mechanism.events->refusal(program).empty();
    });
    return !mechanism.either.empty() && lacks_all ? mechanism.events->refusal(mechanism.either.front()) : "";
}

bool Mechanisms::see(std::string_view file_system) const {
    const auto seen = all_[in_use_].file_systems;
    return seen.empty() || file_system.empty() || std::ranges::contains(seen, file_system);
}

std::string Mechanisms::description() const {
    const Mechanism& used = all_[in_use_];
    return formatted("by {}: {}{}{}", used.name, used.sees, used.extent ? ", " + used.extent() : "", lacks_);
}

} // namespace egb::lockfile
