// SPDX-License-Identifier: Apache-2.0
#include "host/path_walk.hpp"

#include "core/format.hpp"
#include "host/file_reading.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <deque>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace egb::host {

namespace {

constexpr std::array<std::string_view, 15> local_file_systems{
    "ext2",  "ext3",    "ext4", "xfs",      "btrfs",  "f2fs",     "tmpfs",
    "ramfs", "overlay", "zfs",  "bcachefs", "rootfs", "devtmpfs", // on the way to /dev/shm
    "erofs", "squashfs"};                                         // as /usr may be

constexpr int most_links = 40; // as many as the kernel follows
/// As many as the longest path may have. Links make it longer, and a long way takes as long.
constexpr int most_names = PATH_MAX / 2;

bool is_local(const MountPoint& mount) {
    return std::ranges::contains(local_file_systems, mount.file_system);
}

/// One name, which is no "..", from a directory: no link is followed. RestrictSUIDSGID= of systemd lets
/// nobody call openat2(2), whose RESOLVE_NO_XDEV would say more.
Fd open_below(const Fd& folder, const std::string& name) {
    return Fd{::openat(folder.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
}

/// Without asking the file system, which might not answer.
bool is_mount_root(const Fd& file) {
    struct statx status{};
    return ::statx(file.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/// Of what it is in, without asking the file system either.
std::optional<std::uint64_t> mount_of(const Fd& file) {
    struct statx status{};
    const bool is_told =
        ::statx(file.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &status) == 0;
    return is_told ? std::optional{status.stx_mnt_id} : std::nullopt;
}

bool is_link(const Fd& file) {
    const auto status = status_of(file);
    return status && status->type == FileType::link;
}

std::string join(std::string_view folder, std::string_view name) {
    return formatted("{}/{}", folder == "/" ? "" : folder, name);
}

/// Of what lies in or below what is mounted there.
Site site_below(const MountPoint& mount, std::string_view path) {
    path.remove_prefix(mount.path == "/" ? 1 : std::min(mount.path.size() + 1, path.size()));
    return {.device = mount.device, .path = path.empty() ? mount.root : join(mount.root, path)};
}

class Walk {
public:
    Walk(const MountRoot& root, Links links) : root_{root}, links_{links}, mounts_{root.mounts()} {}

    Result<Spot> to(std::string_view path);

private:
    struct Step {
        Fd fd;
        std::string path;
        const MountPoint* mount{};
    };

    [[nodiscard]] Result<> start();
    void push(std::string_view path);
    [[nodiscard]] Result<> take(const std::string& name);
    [[nodiscard]] Result<> follow(const Fd& link);
    [[nodiscard]] Result<Step> step_to(const std::string& name);
    [[nodiscard]] const MountPoint* mounted_at(std::string_view path) const;

    const MountRoot& root_;
    const Links links_;
    const std::vector<MountPoint> mounts_;
    std::vector<Step> steps_;       ///< the way back, for ".."
    std::deque<std::string> ahead_; ///< names
    std::optional<Spot> foreign_;   ///< what it stands before, and does not enter
    int links_followed_{};
    int names_taken_{};
};

void Walk::push(std::string_view path) {
    auto at = ahead_.begin();
    for (const auto part : path | std::views::split('/')) {
        const std::string_view name{part};
        if (!name.empty() && name != ".") {
            at = std::next(ahead_.insert(at, std::string{name}));
        }
    }
}

/// What is mounted last covers what was before.
const MountPoint* Walk::mounted_at(std::string_view path) const {
    const auto found = std::ranges::find_last(mounts_, path, &MountPoint::path);
    return found.empty() ? nullptr : &found.front();
}

Result<> Walk::start() {
    Fd fd{::fcntl(root_.fd.get(), F_DUPFD_CLOEXEC, 0)};
    if (!fd) {
        return fail_errno("the root of a mount namespace");
    }
    const MountPoint* const mount = mounted_at("/");
    if (mount == nullptr || !is_local(*mount)) {
        foreign_ = Spot{.fd = {}, .path = "/", .file_system = mount == nullptr ? "" : mount->file_system};
        return {};
    }
    steps_.clear();
    steps_.push_back({.fd = std::move(fd), .path = "/", .mount = mount});
    return {};
}

Result<Walk::Step> Walk::step_to(const std::string& name) {
    const Step& here = steps_.back();
    Step next{.fd = {}, .path = join(here.path, name), .mount = here.mount};
    if (next.path.size() >= PATH_MAX) {
        return fail(ErrorCode::invalid, "{}... is too long a path", next.path.substr(0, NAME_MAX));
    }
    const MountPoint* const mounted = mounted_at(next.path);
    if (mounted != nullptr) {
        next.mount = mounted;
        if (!is_local(*mounted)) {
            return next;
        }
    }
    next.fd = open_below(here.fd, name);
    if (!next.fd) {
        return errno == ENOTDIR
                   ? Result<Step>{fail(ErrorCode::not_found, "{}: {} is no directory", next.path, here.path)}
                   : fail_errno(next.path);
    }
    if (mount_of(next.fd) != next.mount->id) {
        return fail(ErrorCode::changed, "something has just been mounted at {}, or unmounted", next.path);
    }
    return next;
}

Result<> Walk::follow(const Fd& link) {
    const auto target = target_of_link(link);
    if (!target) {
        return std::unexpected(target.error());
    }
    if (++links_followed_ > most_links) {
        return fail(ErrorCode::invalid, "more than {} symbolic links on the way", most_links);
    }
    push(*target);
    return target->starts_with('/') ? start() : Result<>{};
}

Result<> Walk::take(const std::string& name) {
    if (++names_taken_ > most_names) {
        return fail(ErrorCode::invalid, "more than {} names on the way", most_names);
    }
    if (name == "..") {
        if (steps_.size() > 1) {
            steps_.pop_back();
        }
        return {};
    }
    auto next = step_to(name);
    if (!next) {
        return std::unexpected(next.error());
    }
    if (!next->fd) {
        foreign_ = Spot{.fd = {}, .path = next->path, .file_system = next->mount->file_system};
        return {};
    }
    if ((!ahead_.empty() || links_ == Links::followed_to_the_end) && is_link(next->fd)) {
        if (links_ == Links::refused) {
            return fail(ErrorCode::changed, "{} is a symbolic link by now", next->path);
        }
        return follow(next->fd);
    }
    steps_.push_back(std::move(*next));
    return {};
}

Result<Spot> Walk::to(std::string_view path) {
    if (!path.starts_with('/') || path.size() >= PATH_MAX || path.contains('\0')) {
        return fail(ErrorCode::invalid, "\"{}\" is no absolute path", path);
    }
    push(path);
    auto going = start();
    while (going && !foreign_ && !ahead_.empty()) {
        const std::string name = std::move(ahead_.front());
        ahead_.pop_front();
        going = take(name);
    }
    if (!going) {
        return std::unexpected(going.error());
    }
    if (foreign_) {
        return std::move(*foreign_);
    }
    Step& end = steps_.back();
    return Spot{.fd = std::move(end.fd),
                .path = end.path,
                .file_system = end.mount->file_system,
                .site = site_below(*end.mount, end.path),
                .is_local = true};
}

} // namespace

Result<Spot> walk(const MountRoot& root, std::string_view path, Links links) {
    return Walk{root, links}.to(path);
}

Result<Fd> open_entry(const Fd& folder, const std::string& name) {
    Fd entry = open_below(folder, name);
    if (!entry) {
        return fail_errno(name);
    }
    if (is_mount_root(entry)) {
        return fail(ErrorCode::denied, "{} is a mount point", name);
    }
    return entry;
}

} // namespace egb::host
