// SPDX-License-Identifier: Apache-2.0
#include "core/ownership.hpp"

#include <utility>

namespace egb {

std::string_view to_string(OwnerVerdict verdict) {
    switch (verdict) {
    case OwnerVerdict::owned:
        return "owned";
    case OwnerVerdict::ownerless:
        return "ownerless";
    case OwnerVerdict::unknown:
        return "unknown";
    }
    std::unreachable();
}

std::string_view to_string(ClaimantRole role) {
    switch (role) {
    case ClaimantRole::creator:
        return "creator";
    case ClaimantRole::heir:
        return "heir";
    case ClaimantRole::elder:
        return "elder";
    }
    std::unreachable();
}

} // namespace egb
