// SPDX-License-Identifier: Apache-2.0
#include "config/files.hpp"

#include "core/format.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <map>
#include <ranges>
#include <string_view>
#include <system_error>
#include <utility>

namespace egb::config {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view main_file = "eghostbuster.conf";
constexpr std::string_view drop_ins = "eghostbuster.conf.d";
constexpr std::size_t most_bytes = 1'048'576;

/// Closes what open() opened.
class OpenFile {
public:
    /// Without waiting: a FIFO would have us wait for its writer.
    explicit OpenFile(const fs::path& path)
        : fd_{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)} {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    [[nodiscard]] int fd() const { return fd_; }

private:
    int fd_;
};

/// Whether anything has that name, a link to nowhere included: that one is a mistake to be told.
bool is_there(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 || errno != ENOENT;
}

bool is_null_device(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

Result<> add_drop_ins(const fs::path& folder, std::map<std::string, fs::path>& found) {
    std::error_code error;
    fs::directory_iterator entries{folder, error};
    if (error == std::errc::no_such_file_or_directory) {
        return {};
    }
    for (; !error && entries != fs::directory_iterator{}; entries.increment(error)) {
        const auto& path = entries->path();
        const auto name = path.filename().string();
        if (path.extension() == ".conf" && !name.starts_with('.')) {
            found.insert_or_assign(name, path);
        }
    }
    return error ? fail_errno(folder.string(), error.value()) : Result<>{};
}

Result<std::string> read_all(int fd, const fs::path& path) {
    std::string text;
    std::array<char, 16'384> block{};
    while (true) {
        const auto got = ::read(fd, block.data(), block.size());
        if (got == 0) {
            return text;
        }
        if (got < 0 && errno != EINTR) {
            return fail_errno(path.string());
        }
        text.append(block.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
        if (text.size() > most_bytes) {
            return fail(ErrorCode::invalid, "{}: more than {} bytes; is this a configuration file?",
                        path.string(), most_bytes);
        }
    }
}

} // namespace

Result<std::vector<fs::path>> find_files(const Paths& paths) {
    std::vector<fs::path> files;
    for (const auto& directory : paths.directories | std::views::reverse) {
        if (is_there(directory / main_file)) {
            files.push_back(directory / main_file);
            break;
        }
    }
    std::map<std::string, fs::path> found;
    for (const auto& directory : paths.directories) {
        if (auto added = add_drop_ins(directory / drop_ins, found); !added) {
            return std::unexpected(added.error());
        }
    }
    for (auto& path : found | std::views::values) {
        files.push_back(std::move(path));
    }
    if (is_there(paths.policy_file)) {
        files.push_back(paths.policy_file);
    }
    return files;
}

std::vector<fs::path> find_lists(const Paths& paths, std::string_view section, std::string_view list) {
    std::vector<fs::path> files;
    for (const auto& folder : paths.lists) {
        if (auto path = folder / section / formatted("{}.list", list); is_there(path)) {
            files.push_back(std::move(path));
        }
    }
    return files;
}

Result<std::string> read_file(const fs::path& path) {
    const OpenFile file{path};
    struct stat status{};
    if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) {
        return fail_errno(path.string());
    }
    if (is_null_device(status)) {
        return {};
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(ErrorCode::invalid, "{}: expected a file, and this is {}", path.string(),
                    S_ISDIR(status.st_mode) ? "a directory" : "none");
    }
    return read_all(file.fd(), path);
}

} // namespace egb::config
