// SPDX-License-Identifier: Apache-2.0
#include "core/quarantine.hpp"

#include <array>
#include <utility>

namespace egb {

namespace {

constexpr std::array<std::pair<FileType, std::string_view>, 4> file_types{{
    {FileType::regular, "file"},
    {FileType::directory, "directory"},
    {FileType::link, "link"},
    {FileType::other, "other"},
}};

} // namespace

std::string_view to_string(FileType type) {
    return file_types.at(static_cast<std::size_t>(type)).second;
}

Result<FileType> parse_file_type(std::string_view text) {
    for (const auto& [type, name] : file_types) {
        if (name == text) {
            return type;
        }
    }
    return fail(ErrorCode::invalid, "\"{}\" is no type of file", text);
}

} // namespace egb
