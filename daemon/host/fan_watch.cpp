// SPDX-License-Identifier: Apache-2.0
#include "host/fan_watch.hpp"

#include "core/format.hpp"
#include "host/path_walk.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::host {

namespace {

constexpr std::uint64_t about_names = FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ONDIR;

/// An event about a name of one letter has this size, where handles are the shortest.
constexpr std::size_t least_event = 80;
/// Two names, and three handles.
constexpr std::size_t largest_event = sizeof(fanotify_event_metadata) + (3UL * 160) + (2UL * (NAME_MAX + 1));

/// What overlayfs writes goes to a layer that is on another file system, which is heard of; and by what it
/// tells itself, no file of it can be opened.
bool may_be_marked(const MountPoint& mount) {
    return mount.file_system != "overlay";
}

Result<std::uint64_t> number_of_file_system(const Fd& file) {
    struct statfs status{};
    if (::fstatfs(file.get(), &status) != 0) {
        return fail_errno("statfs");
    }
    std::uint64_t number = 0;
    static_assert(sizeof(number) == sizeof(status.f_fsid));
    std::memcpy(&number, &status.f_fsid, sizeof(number));
    return number;
}

Result<> add_to(const Fd& poll, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    if (::epoll_ctl(poll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return fail_errno("epoll");
    }
    return {};
}

std::string why_unmarked(int error) {
    switch (error) {
    case ENODEV:
    case EXDEV:
        return "it has no number of its own";
    case EOPNOTSUPP:
        return "its files have no handles";
    default:
        return std::strerror(error);
    }
}

} // namespace

Result<> FanWatch::open_group() {
    if (auto kept = store_.take(name_)) {
        group_ = std::move(*kept);
        return {};
    }
    group_ = Fd{::fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME_TARGET,
                                O_RDONLY | O_CLOEXEC)};
    if (!group_) {
        return errno == EINVAL ? Result<>{fail(ErrorCode::unsupported, "fanotify says of no file what it is, "
                                                                       "before Linux 5.17")}
                               : fail_errno("fanotify");
    }
    return {};
}

Result<> FanWatch::start() {
    poll_ = Fd{::epoll_create1(EPOLL_CLOEXEC)};
    if (!poll_) {
        return fail_errno("epoll");
    }
    return open_group()
        .and_then([this] {
            return roots_.open(0);
        })
        .and_then([this](const MountRoot& root) {
            return follow_mounts(root);
        })
        .and_then([this] {
            return mark_all();
        })
        .and_then([this] {
            return add_to(poll_, group_.get(), EPOLLIN);
        })
        .and_then([this] {
            return store_.keep(name_, group_.get());
        });
}

Result<> FanWatch::wait_also_for(int fd) {
    return add_to(poll_, fd, EPOLLIN);
}

/// Of whoever lives there; the table stays that of the mount namespace when he is gone.
Result<> FanWatch::follow_mounts(const MountRoot& root) {
    for (Fd* const table : {&mounts_waking_, &mounts_telling_}) {
        *table = Fd{::openat(root.process.get(), "mountinfo", O_RDONLY | O_CLOEXEC)};
        if (!*table) {
            return fail_errno("what is mounted");
        }
    }
    return add_to(poll_, mounts_waking_.get(), EPOLLPRI);
}

bool FanWatch::has_new_mounts() const {
    pollfd asked{.fd = mounts_telling_.get(), .events = POLLPRI, .revents = 0};
    return ::poll(&asked, 1, 0) > 0;
}

Result<> FanWatch::mark_all() {
    const auto root = roots_.open(0);
    if (!root) {
        return std::unexpected(root.error());
    }
    marked_.clear();
    unmarked_.clear();
    for (const MountPoint& mount : root->mounts()) {
        if (may_be_marked(mount)) {
            mark(*root, mount);
        }
    }
    if (marked_.empty()) {
        return fail(ErrorCode::unsupported, "no file system lets itself be watched by fanotify{}{}",
                    unmarked_.empty() ? "" : ": ", unmarked_.empty() ? "" : unmarked_.begin()->second);
    }
    return {};
}

/// Once for each file system, by what was mounted first: that is rather the whole of it than a part.
void FanWatch::mark(const MountRoot& root, const MountPoint& mount) {
    const auto spot = walk(root, mount.path, Links::refused);
    const auto number = spot && spot->fd ? number_of_file_system(spot->fd) : std::unexpected(Error{});
    if (!number || marked_.contains(*number)) {
        return;
    }
    const auto status = status_of(spot->fd);
    if (!status || status->type != FileType::directory) {
        return; // a file of a file system that is mounted elsewhere
    }
    if (::fanotify_mark(group_.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, about_names, spot->fd.get(), ".") ==
        0) {
        marked_.emplace(*number, mount.path);
    } else {
        unmarked_.emplace(mount.path, why_unmarked(errno));
    }
}

/// The kernel fills the room with as many as fit, and gives none while the first does not. So the room grows
/// by less than another one takes.
Result<std::vector<std::byte>> FanWatch::next_event() const {
    constexpr std::size_t step = least_event - 1;
    for (std::size_t room = least_event + step; room < largest_event + step; room += step) {
        std::vector<std::byte> bytes(room);
        const auto length = ::read(group_.get(), bytes.data(), bytes.size());
        if (length >= 0) {
            bytes.resize(static_cast<std::size_t>(length));
            return bytes;
        }
        if (errno == EAGAIN || errno == EINTR) {
            return std::vector<std::byte>{};
        }
        if (errno != EINVAL) {
            break;
        }
    }
    return fail_errno("reading from fanotify");
}

Result<NameReading> FanWatch::read(std::size_t most) {
    if (has_new_mounts()) {
        // What cannot be marked now is said by extent().
        static_cast<void>(mark_all());
    }
    std::vector<std::byte> all;
    for (std::size_t events = 0; events < most; ++events) {
        const auto next = next_event();
        if (!next) {
            return std::unexpected(next.error());
        }
        if (next->empty()) {
            break;
        }
        all.insert(all.end(), next->begin(), next->end());
    }
    return read_names(all);
}

Result<int> FanWatch::anchor_of(std::uint64_t file_system) {
    if (const auto known = anchors_.find(file_system); known != anchors_.end()) {
        return known->second.get();
    }
    const auto mounted = marked_.find(file_system);
    if (mounted == marked_.end()) {
        return fail(ErrorCode::not_found, "the file system is no longer mounted");
    }
    return roots_.open(0)
        .and_then([&](const MountRoot& root) {
            return walk(root, mounted->second, Links::refused);
        })
        .and_then([](const Spot& spot) {
            return spot.fd ? reopen(spot.fd)
                           : Result<Fd>{fail(ErrorCode::not_found, "another file system is mounted there")};
        })
        .transform([&](Fd opened) {
            return anchors_.insert_or_assign(file_system, std::move(opened)).first->second.get();
        });
}

Result<Fd> FanWatch::open_handle(std::uint64_t file_system, const std::string& handle) {
    const auto anchor = anchor_of(file_system);
    if (!anchor) {
        return std::unexpected(anchor.error());
    }
    std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> aligned alignas(file_handle){};
    handle.copy(aligned.data(), aligned.size());
    Fd opened{::open_by_handle_at(*anchor, reinterpret_cast<file_handle*>(aligned.data()),
                                  O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (!opened) {
        return errno == ESTALE ? Result<Fd>{fail(ErrorCode::not_found, "it is gone")}
                               : fail_errno("open_by_handle_at");
    }
    return opened;
}

Result<NamedFile> FanWatch::open(const NameNews& made) {
    NamedFile found;
    return open_handle(made.place.file_system, made.file)
        .and_then([&](Fd file) {
            found.file = std::move(file);
            return open_handle(made.place.file_system, made.place.folder);
        })
        .and_then([&](Fd folder) {
            found.folder = std::move(folder);
            return status_of(found.file);
        })
        .transform([&](const FileStatus& status) {
            found.status = status;
            return std::move(found);
        });
}

std::string FanWatch::extent() const {
    std::set<std::string> places;
    for (const auto& [number, place] : marked_) {
        places.insert(place);
    }
    std::string text;
    for (const std::string& place : places) {
        text += formatted("{}{}", text.empty() ? "on the file systems at " : ", ", place);
    }
    for (const auto& [place, why] : unmarked_) {
        text += formatted("; not at {}: {}", place, why);
    }
    return text;
}

} // namespace egb::host
