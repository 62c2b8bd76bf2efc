// SPDX-License-Identifier: Apache-2.0
#include "host/kernel_names.hpp"

namespace egb::host {

std::string path_of_names(std::string_view names) {
    std::string path;
    while (!names.empty()) {
        if (names.ends_with('\0')) {
            names.remove_suffix(1);
        }
        const auto begin = names.rfind('\0') + 1; // npos + 1 is 0
        path += '/';
        path += names.substr(begin);
        names = names.substr(0, begin);
    }
    return path.empty() ? "/" : path;
}

} // namespace egb::host
