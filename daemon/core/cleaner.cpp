// SPDX-License-Identifier: Apache-2.0
#include "core/cleaner.hpp"

namespace egb {

Result<std::string> Cleaner::restore(GhostId id) {
    return fail(ErrorCode::unsupported,
                "ghost {} cannot be put back: its kind ends things and keeps nothing of them", id);
}

} // namespace egb
