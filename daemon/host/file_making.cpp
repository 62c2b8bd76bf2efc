// SPDX-License-Identifier: Apache-2.0
#include "host/file_making.hpp"

#include "core/format.hpp"
#include "host/path_walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <string_view>

namespace egb::host {

namespace {

constexpr mode_t only_ours = 0600;
constexpr mode_t only_our_directory = 0700;

timespec time_of(std::int64_t nanoseconds) {
    constexpr std::int64_t per_second = 1'000'000'000;
    const std::int64_t seconds = nanoseconds / per_second - (nanoseconds % per_second < 0 ? 1 : 0);
    return {.tv_sec = seconds, .tv_nsec = nanoseconds - (seconds * per_second)};
}

Result<> write_all(const Fd& file, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(file.get(), text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return fail_errno("writing its content");
        }
        text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return {};
}

/// Labels are the security module's, which has given the new file one of its own.
Result<> set_attributes(const Fd& file, const QuarantinedFile& like) {
    for (const auto& [name, value] : like.attributes) {
        const bool label = name.starts_with("security.");
        if (::fsetxattr(file.get(), name.c_str(), value.data(), value.size(), 0) != 0 && !label) {
            return fail_errno(formatted("its attribute {}", name));
        }
    }
    return {};
}

/// A directory that hands its group down has handed it to this one too; a service manager may forbid us to
/// set that bit.
Result<> set_rights(const Fd& file, const QuarantinedFile& like) {
    constexpr mode_t settable = 01777;
    if (::fchown(file.get(), like.uid, like.gid) != 0) {
        return fail_errno("its owner");
    }
    return ::fchmod(file.get(), like.mode & settable) == 0 ? Result<>{} : fail_errno("its mode");
}

Result<> set_times(const Fd& file, const QuarantinedFile& like) {
    const std::array times{time_of(like.accessed_ns), time_of(like.modified_ns)};
    return ::futimens(file.get(), times.data()) == 0 ? Result<>{} : fail_errno("its times");
}

/// All but the name, and on the disk.
Result<> make_like(const Fd& file, const QuarantinedFile& like) {
    return write_all(file, like.type == FileType::regular ? like.content : "")
        .and_then([&] {
            return set_attributes(file, like);
        })
        .and_then([&] {
            return set_rights(file, like);
        })
        .and_then([&] {
            return set_times(file, like);
        })
        .and_then([&] {
            return ::fsync(file.get()) == 0 ? Result<>{} : fail_errno("writing it to the disk");
        });
}

/// One that has no name yet, where the file system can make such.
Result<> make_nameless(const FilePlace& place, const QuarantinedFile& file) {
    const Fd made{::openat(place.directory.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, only_ours)};
    if (!made) {
        return fail_errno(place.path);
    }
    return make_like(made, file).and_then([&]() -> Result<> {
        const auto way = way_to(made);
        if (::linkat(AT_FDCWD, way.c_str(), place.directory.get(), place.name.c_str(), AT_SYMLINK_FOLLOW) ==
            0) {
            return {};
        }
        return errno == EEXIST ? fail(ErrorCode::busy, "there is another {} in its place", place.name)
                               : fail_errno(place.path);
    });
}

/// Whoever may write in the directory may have put something else there since: what we have just made is
/// ours, and of this moment.
Result<Entry> just_made(const FilePlace& place, const std::string& name, const QuarantinedFile& file,
                        const timespec& before) {
    auto entry = entry_at(place, name);
    if (!entry) {
        return entry;
    }
    const auto& status = entry->status;
    constexpr std::int64_t per_second = 1'000'000'000;
    const bool of_now =
        status.id.born_ns == 0 || status.id.born_ns >= (before.tv_sec * per_second) + before.tv_nsec;
    const bool has_other_names = status.type != FileType::directory && status.links != 1;
    if (status.uid != ::geteuid() || status.type != file.type || has_other_names || !of_now) {
        return fail(ErrorCode::changed, "somebody else has a hand in {}", place.path);
    }
    return entry;
}

Result<> make_link_like(const Fd& link, const QuarantinedFile& like) {
    const std::array times{time_of(like.accessed_ns), time_of(like.modified_ns)};
    if (::fchownat(link.get(), "", like.uid, like.gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_errno("its owner");
    }
    return ::utimensat(link.get(), "", times.data(), AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0
               ? Result<>{}
               : fail_errno("its times");
}

int create(const FilePlace& place, const std::string& name, const QuarantinedFile& file) {
    const int directory = place.directory.get();
    if (file.type == FileType::directory) {
        return ::mkdirat(directory, name.c_str(), only_our_directory);
    }
    if (file.type == FileType::link) {
        return ::symlinkat(file.content.c_str(), directory, name.c_str());
    }
    const Fd made{
        ::openat(directory, name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, only_ours)};
    return made ? 0 : -1;
}

/// The same, open for what is to be done with it.
Result<> dress(const Entry& entry, const QuarantinedFile& file) {
    if (file.type == FileType::link) {
        return make_link_like(entry.fd, file);
    }
    const int flags = file.type == FileType::directory ? O_RDONLY | O_DIRECTORY : O_WRONLY;
    const Fd opened{::open(way_to(entry.fd).c_str(), flags | O_CLOEXEC)};
    return opened ? make_like(opened, file) : fail_errno("opening it");
}

Result<> make_hidden(const FilePlace& place, const QuarantinedFile& file) {
    const auto name = hidden_name();
    if (!name) {
        return std::unexpected(name.error());
    }
    timespec before{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &before); // by which file systems go
    if (create(place, *name, file) != 0) {
        return fail_errno(place.path);
    }
    const auto done = just_made(place, *name, file, before)
                          .and_then([&](const Entry& entry) {
                              return dress(entry, file);
                          })
                          .and_then([&] {
                              return rename_in(place, *name, place.name);
                          });
    if (!done) {
        [[maybe_unused]] const auto removed = remove_from(place, *name, file.type);
    }
    return done;
}

} // namespace

Result<> make_again(const FilePlace& place, const QuarantinedFile& file) {
    if (file.type == FileType::other) {
        return fail(ErrorCode::unsupported, "{} is of a type that cannot be made again", file.path);
    }
    if (file.type == FileType::regular) {
        auto made = make_nameless(place, file);
        if (made || made.error().code != ErrorCode::unsupported) {
            return made;
        }
    }
    return make_hidden(place, file);
}

} // namespace egb::host
