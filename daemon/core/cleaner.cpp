// SPDX-License-Identifier: Apache-2.0
#include "core/cleaner.hpp"

namespace egb {

std::vector<Outcome> Cleaner::ask(std::span<const GhostPtr> ghosts) {
    return std::vector<Outcome>(ghosts.size(),
                                {.verdict = Verdict::refused, .reason = "its kind asks nothing"});
}

void Cleaner::take_back(std::span<const GhostPtr> /*ghosts*/) {}

Result<std::string> Cleaner::restore(GhostId id) {
    return fail(ErrorCode::unsupported,
                "ghost {} cannot be put back: its kind ends things and keeps nothing of them", id);
}

} // namespace egb
