// SPDX-License-Identifier: Apache-2.0
#include "core/heading.hpp"

#include <cctype>

namespace egb {

std::string capitalised(std::string_view words) {
    std::string heading{words};
    if (!heading.empty()) {
        heading.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(heading.front())));
    }
    return heading;
}

} // namespace egb
