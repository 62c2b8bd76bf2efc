// SPDX-License-Identifier: Apache-2.0
#include "host/file_reading.hpp"

#include "core/format.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

namespace egb::host {

namespace {

constexpr std::size_t most_attribute_bytes = 65'536; // as much as the kernel gives of names, or of a value

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

std::int64_t nanoseconds(const statx_timestamp& time) {
    constexpr std::int64_t per_second = 1'000'000'000;
    return (time.tv_sec * per_second) + time.tv_nsec;
}

FileType type_of(std::uint16_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return FileType::regular;
    case S_IFDIR:
        return FileType::directory;
    case S_IFLNK:
        return FileType::link;
    default:
        return FileType::other;
    }
}

FileIdentity identity_in(const struct statx& status) {
    const bool has_birth = (status.stx_mask & STATX_BTIME) != 0;
    return {.device = makedev(status.stx_dev_major, status.stx_dev_minor),
            .inode = status.stx_ino,
            .born_ns = has_birth ? nanoseconds(status.stx_btime) : 0};
}

/// By which it was opened, be it that this one is gone and another is left.
std::string last_name_of(int fd) {
    constexpr std::string_view mark{" (deleted)"};
    std::error_code unnamed;
    const auto path = std::filesystem::read_symlink(way_to(fd), unnamed).string();
    const auto end = path.ends_with(mark) ? path.size() - mark.size() : path.size();
    return path == "/" ? path : path.substr(0, end).substr(path.rfind('/') + 1);
}

Result<FileStatus> status_by(const Fd& file, const char* name, int flags) {
    struct statx status{};
    if (::statx(file.get(), name, flags, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) {
        return fail_errno("a file");
    }
    constexpr std::uint32_t all_bits = 07777;
    return FileStatus{.id = identity_in(status),
                      .type = type_of(status.stx_mode),
                      .mode = status.stx_mode & all_bits,
                      .uid = status.stx_uid,
                      .gid = status.stx_gid,
                      .size = status.stx_size,
                      .links = status.stx_nlink,
                      .accessed_ns = nanoseconds(status.stx_atime),
                      .modified_ns = nanoseconds(status.stx_mtime),
                      .changed_ns = nanoseconds(status.stx_ctime),
                      .is_mount_point = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0};
}

/// For as long as `on_name` wants more.
Result<> each_name(const Fd& directory, const std::function<bool(std::string_view)>& on_name) {
    auto opened = reopen(directory);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    const std::unique_ptr<DIR, CloseDirectory> entries{::fdopendir(opened->get())};
    if (!entries) {
        return fail_errno("a directory");
    }
    [[maybe_unused]] const int owned_by_directory = opened->release();
    errno = 0;
    while (const dirent* entry = ::readdir(entries.get())) {
        const std::string_view name{entry->d_name};
        if (name != "." && name != ".." && !on_name(name)) {
            return {};
        }
    }
    return errno == 0 ? Result<>{} : fail_errno("a directory");
}

Result<std::string> attribute_of(const std::string& way, const char* name) {
    std::string value(most_attribute_bytes, '\0');
    const auto length = ::getxattr(way.c_str(), name, value.data(), value.size());
    if (length < 0) {
        return fail_errno(name);
    }
    value.resize(static_cast<std::size_t>(length));
    return value;
}

/// Each with its NUL.
Result<std::string> attribute_names(const std::string& way) {
    std::string names(most_attribute_bytes, '\0');
    const auto length = ::listxattr(way.c_str(), names.data(), names.size());
    if (length < 0) {
        return errno == ENOTSUP ? Result<std::string>{} : fail_errno("extended attributes");
    }
    names.resize(static_cast<std::size_t>(length));
    return names;
}

} // namespace

Result<FileStatus> status_of(const Fd& file) {
    return status_by(file, "", AT_EMPTY_PATH);
}

Result<FileStatus> status_in(const Fd& directory, const std::string& name) {
    return status_by(directory, name.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
}

Result<FileIdentity> identity_of(int fd) {
    struct statx status{};
    if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_BTIME, &status) != 0) {
        return fail_errno("a file");
    }
    return identity_in(status);
}

Result<AskedFile> asked_file(int fd) {
    struct statx status{};
    constexpr unsigned wanted = STATX_TYPE | STATX_NLINK | STATX_INO | STATX_BTIME;
    if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, wanted, &status) != 0) {
        return fail_errno("a file");
    }
    return AskedFile{.id = identity_in(status),
                     .type = type_of(status.stx_mode),
                     .name = status.stx_nlink == 0 ? "" : last_name_of(fd)};
}

std::string way_to(int fd) {
    return formatted("/proc/self/fd/{}", fd);
}

std::string way_to(const Fd& file) {
    return way_to(file.get());
}

Result<Fd> reopen(const Fd& file) {
    const auto status = status_of(file);
    if (!status) {
        return std::unexpected(status.error());
    }
    if (status->type != FileType::regular && status->type != FileType::directory) {
        return fail(ErrorCode::unsupported, "neither a regular file nor a directory");
    }
    const auto way = way_to(file);
    constexpr int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    Fd opened{::open(way.c_str(), flags | O_NOATIME)};
    if (!opened && errno == EPERM) {
        opened = Fd{::open(way.c_str(), flags)};
    }
    return opened ? Result<Fd>{std::move(opened)} : fail_errno("a file");
}

Result<std::string> content_of(const Fd& file, std::size_t most) {
    const auto opened = reopen(file);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    std::string text(most, '\0');
    std::size_t length = 0;
    while (length < most) {
        const auto got = ::read(opened->get(), text.data() + length, most - length);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            length += static_cast<std::size_t>(got);
        } else if (errno != EINTR) {
            return fail_errno("a file's content");
        }
    }
    text.resize(length);
    return text;
}

Result<std::string> target_of_link(const Fd& link) {
    std::array<char, PATH_MAX> target{};
    const auto length = ::readlinkat(link.get(), "", target.data(), target.size());
    if (length < 0) {
        return fail_errno("a symbolic link");
    }
    return std::string{target.data(), static_cast<std::size_t>(length)};
}

Result<std::vector<std::string>> names_in(const Fd& directory) {
    std::vector<std::string> names;
    return each_name(directory,
                     [&names](std::string_view name) {
                         names.emplace_back(name);
                         return true;
                     })
        .transform([&names] {
            return std::move(names);
        });
}

Result<bool> is_empty(const Fd& directory) {
    bool empty = true;
    return each_name(directory,
                     [&empty](std::string_view /*name*/) {
                         empty = false;
                         return false;
                     })
        .transform([&empty] {
            return empty;
        });
}

Result<std::map<std::string, std::string>> attributes_of(const Fd& file, std::size_t most) {
    std::map<std::string, std::string> attributes;
    const auto way = way_to(file);
    const auto names = attribute_names(way);
    if (!names) {
        return std::unexpected(names.error());
    }
    for (std::size_t at = 0; at < names->size();) {
        const char* const name = names->c_str() + at;
        auto value = attribute_of(way, name);
        if (!value) {
            return std::unexpected(value.error());
        }
        if (value->size() > most) {
            return fail(ErrorCode::denied, "it has more than {} bytes of extended attributes", most);
        }
        most -= value->size();
        attributes.emplace(name, std::move(*value));
        at += std::string_view{name}.size() + 1;
    }
    return attributes;
}

} // namespace egb::host
