// SPDX-License-Identifier: Apache-2.0
#include "host/file_place.hpp"

#include "core/format.hpp"
#include "host/path_walk.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

namespace egb::host {

Result<FilePlace> place_of(MountRoots& roots, const FileName& name) {
    const auto slash = name.path.rfind('/');
    auto last = slash == std::string::npos ? std::string{} : name.path.substr(slash + 1);
    if (last.empty() || last == "." || last == "..") {
        return fail(ErrorCode::invalid, "\"{}\" is no path of a file", name.path);
    }
    const auto root = roots.open(name.mount_namespace);
    if (!root) {
        return std::unexpected(root.error());
    }
    auto spot = walk(*root, slash == 0 ? "/" : name.path.substr(0, slash), Links::refused);
    if (!spot) {
        return std::unexpected(spot.error());
    }
    if (!spot->is_local) {
        return fail(ErrorCode::unsupported, "{} is on {}, which may be of other machines, too", name.path,
                    spot->file_system.empty() ? "an unknown file system" : spot->file_system);
    }
    const auto status = status_of(spot->fd);
    if (!status || status->type != FileType::directory) {
        return fail(ErrorCode::changed, "{} is no directory by now", spot->path);
    }
    return FilePlace{.directory = std::move(spot->fd),
                     .directory_id = status->id,
                     .mount_namespace = root->mount_namespace,
                     .path = name.path,
                     .name = std::move(last)};
}

Result<Entry> entry_at(const FilePlace& place, const std::string& name) {
    auto fd = open_entry(place.directory, name);
    if (!fd) {
        return std::unexpected(fd.error());
    }
    const auto status = status_of(*fd);
    if (!status) {
        return std::unexpected(status.error());
    }
    return Entry{.fd = std::move(*fd), .status = *status};
}

Result<> rename_in(const FilePlace& place, const std::string& from, const std::string& to) {
    const int directory = place.directory.get();
    if (::renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE) != 0) {
        return errno == EEXIST ? fail(ErrorCode::busy, "there is another {} in its place", to)
                               : fail_errno(formatted("renaming {} to {}", from, to));
    }
    return {};
}

Result<> remove_from(const FilePlace& place, const std::string& name, FileType type) {
    const int flags = type == FileType::directory ? AT_REMOVEDIR : 0;
    if (::unlinkat(place.directory.get(), name.c_str(), flags) != 0) {
        return fail_errno(formatted("removing {}", name));
    }
    return {};
}

Result<> sync_directory(const FilePlace& place) {
    const auto opened = reopen(place.directory);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    return ::fsync(opened->get()) == 0 ? Result<>{} : fail_errno(place.path);
}

Result<std::string> hidden_name() {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof(number), 0) != sizeof(number)) {
        return fail_errno("a random number");
    }
    return formatted(".ghost-{:016x}", number);
}

} // namespace egb::host
