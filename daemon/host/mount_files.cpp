// SPDX-License-Identifier: Apache-2.0
#include "host/mount_files.hpp"

#include "core/format.hpp"
#include "host/file_reading.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>

namespace egb::host {

namespace {

constexpr std::uint64_t most_read_of = 65'536; // a larger file is no lock

/// What a look finds inside of the file. A file that does not let itself be read has no content for us.
void look_inside(const Fd& file, FileSight& sight) {
    if (sight.type == FileType::link) {
        sight.content = target_of_link(file).value_or("").substr(0, content_looked_at);
    } else if (sight.type == FileType::directory) {
        sight.is_empty = is_empty(file).value_or(false);
    } else if (sight.type == FileType::regular && sight.size > 0 && sight.size <= most_read_of) {
        sight.content = content_of(file, content_looked_at).value_or("");
    }
}

/// Of what is in the folder that is mounted there.
std::string path_below(const MountPoint& mount, const Site& site) {
    const auto rest = std::string_view{site.path}.substr(mount.root == "/" ? 0 : mount.root.size());
    return formatted("{}{}", mount.path == "/" ? "" : mount.path, rest);
}

FileSight sight_of(const FileStatus& status) {
    constexpr std::uint32_t permission_bits = 0777;
    return {.id = status.id,
            .path = {},
            .changed_ns = status.changed_ns,
            .type = status.type,
            .mode = status.mode & permission_bits,
            .uid = status.uid,
            .gid = status.gid,
            .size = status.size,
            .links = status.links,
            .file_system = {},
            .is_local = true,
            .is_mount_point = status.is_mount_point};
}

} // namespace

/// With the last process of a mount namespace its mounts go, while we walk: what was found by such a way may
/// be another file, or none, and is looked for anew.
Result<Spot> MountFiles::go_to(const FileName& name) {
    constexpr int attempts = 4;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const auto root = roots_.open(name.mount_namespace);
        if (!root) {
            return std::unexpected(root.error());
        }
        auto spot = walk(*root, name.path, Links::followed);
        if (roots_.is_lived_in(*root)) {
            return spot;
        }
    }
    return fail(ErrorCode::busy, "who lives in mount namespace {} ends again and again",
                name.mount_namespace);
}

Result<FileSight> MountFiles::look(const FileName& name) {
    auto spot = go_to(name);
    if (!spot) {
        return std::unexpected(spot.error());
    }
    FileSight sight;
    if (spot->is_local) {
        const auto status = status_of(spot->fd);
        if (!status) {
            return std::unexpected(status.error());
        }
        sight = sight_of(*status);
        look_inside(spot->fd, sight);
    }
    sight.path = std::move(spot->path);
    sight.file_system = std::move(spot->file_system);
    sight.site = std::move(spot->site);
    return sight;
}

Result<Fd> MountFiles::open(const FileName& name, const FileIdentity& id) {
    auto spot = go_to(name);
    if (!spot) {
        return std::unexpected(spot.error());
    }
    const auto status = spot->is_local ? status_of(spot->fd) : std::unexpected(Error{});
    if (!status || status->id != id) {
        return fail(ErrorCode::changed, "{} is another file by now", name.path);
    }
    return std::move(spot->fd);
}

std::vector<MountPoint> MountFiles::machines_mounts() {
    return roots_.open(0)
        .transform([](const MountRoot& machine) {
            return machine.mounts();
        })
        .value_or(std::vector<MountPoint>{});
}

std::string MountFiles::file_system_of(std::uint64_t device) {
    const auto mounts = machines_mounts();
    const auto found =
        std::ranges::find(mounts, formatted("{}:{}", major(device), minor(device)), &MountPoint::device);
    return found == mounts.end() ? "" : found->file_system;
}

std::vector<std::string> MountFiles::machine_paths(const FileSight& sight) {
    std::vector<std::string> paths;
    for (const MountPoint& mount : machines_mounts()) {
        if (is_below(sight.site, {.device = mount.device, .path = mount.root})) {
            paths.push_back(path_below(mount, sight.site));
        }
    }
    return paths;
}

} // namespace egb::host
