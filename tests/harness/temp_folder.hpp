// SPDX-License-Identifier: Apache-2.0
// A folder that is gone after the test, whatever happened in it.
#pragma once

#include <filesystem>
#include <string_view>

namespace egb::test {

class TempFolder {
public:
    explicit TempFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
    ~TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Writes a file, and the folders on the way to it; returns where it is.
    std::filesystem::path write(const std::filesystem::path& relative, std::string_view text) const;

private:
    std::filesystem::path path_;
};

} // namespace egb::test
