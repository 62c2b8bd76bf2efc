// SPDX-License-Identifier: Apache-2.0
#include "core/glob.hpp"

#include <fnmatch.h>

namespace egb {

bool glob_matches(const std::string& glob, const std::string& name) {
    return !name.empty() && ::fnmatch(glob.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

} // namespace egb
