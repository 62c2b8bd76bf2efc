// SPDX-License-Identifier: Apache-2.0
#include "harness/temp_folder.hpp"

#include <stdlib.h> // NOLINT(modernize-deprecated-headers): mkdtemp() is POSIX

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace egb::test {

TempFolder::TempFolder(const std::filesystem::path& parent) {
    auto name = (parent / "egb-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::system_error{errno, std::generic_category(), name};
    }
    path_ = name;
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempFolder::write(const std::filesystem::path& relative, std::string_view text) const {
    const auto path = path_ / relative;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    if (!(file << text) || !file.flush()) {
        throw std::runtime_error{"cannot write " + path.string()};
    }
    return path;
}

} // namespace egb::test
