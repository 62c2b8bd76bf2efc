// SPDX-License-Identifier: Apache-2.0
#include "core/decision.hpp"

#include <utility>

namespace egb {

std::string_view to_string(CleanPolicy policy) {
    switch (policy) {
    case CleanPolicy::never:
        return "never";
    case CleanPolicy::proven:
        return "proven";
    case CleanPolicy::suspected:
        return "suspected";
    }
    std::unreachable();
}

std::string_view to_string(Action action) {
    switch (action) {
    case Action::ignore:
        return "ignore";
    case Action::report:
        return "report";
    case Action::ask:
        return "ask";
    case Action::clean:
        return "clean";
    }
    std::unreachable();
}

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
    case Verdict::cleaned:
        return "cleaned";
    case Verdict::gone:
        return "gone";
    case Verdict::refused:
        return "refused";
    case Verdict::failed:
        return "failed";
    case Verdict::asked:
        return "asked";
    }
    std::unreachable();
}

Result<CleanPolicy> parse_clean_policy(std::string_view text) {
    for (const auto policy : {CleanPolicy::never, CleanPolicy::proven, CleanPolicy::suspected}) {
        if (text == to_string(policy)) {
            return policy;
        }
    }
    return fail(ErrorCode::invalid, "expected never, proven or suspected, not \"{}\"", text);
}

} // namespace egb
