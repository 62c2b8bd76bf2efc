// SPDX-License-Identifier: Apache-2.0
#include "host/octal.hpp"

#include <charconv>

namespace egb::host {

std::string without_octal(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto digits = text.substr(at, 4);
        unsigned code = 0;
        const bool escaped =
            digits.size() == 4 && digits.front() == '\\' &&
            std::from_chars(digits.data() + 1, digits.data() + 4, code, 8).ptr == digits.data() + 4;
        plain += escaped ? static_cast<char>(code) : text[at];
        at += escaped ? 3 : 0;
    }
    return plain;
}

} // namespace egb::host
