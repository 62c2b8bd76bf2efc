// SPDX-License-Identifier: Apache-2.0
#include "core/cleaner.hpp"

namespace egb {

Outcome outcome_of(const Error& error) {
    switch (error.code) {
    case ErrorCode::not_found:
        return {.verdict = Verdict::gone, .reason = error.message};
    case ErrorCode::changed:
    case ErrorCode::denied:
    case ErrorCode::busy:
    case ErrorCode::unsupported:
        return {.verdict = Verdict::refused, .reason = error.message};
    default:
        return {.verdict = Verdict::failed, .reason = error.message};
    }
}

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
