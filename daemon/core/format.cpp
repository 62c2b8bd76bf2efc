// SPDX-License-Identifier: Apache-2.0
#include "core/format.hpp"

namespace egb {

std::string formatted_from(std::string_view text, std::format_args arguments) {
    return std::vformat(text, arguments);
}

} // namespace egb
