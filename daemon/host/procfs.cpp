// SPDX-License-Identifier: Apache-2.0
#include "host/procfs.hpp"

#include "core/format.hpp"
#include "core/utf8.hpp"
#include "host/cgroup_names.hpp"
#include "host/octal.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace egb::host {

namespace {

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

/// What /proc/PID/stat tells us.
struct Stat {
    std::string comm;
    char state{};
    std::int32_t parent{};
    std::int32_t session{};
    std::uint64_t threads{};
    std::uint64_t start_ticks{};
};

template <typename Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

std::optional<std::uint64_t> first_number(std::string_view text) {
    return number<std::uint64_t>(text.substr(0, text.find('\n')));
}

std::optional<std::string_view> word(std::string_view text, std::size_t index) {
    auto words = text | std::views::split(' ') | std::views::drop(index);
    return words.empty() ? std::nullopt : std::optional{std::string_view{words.front()}};
}

Result<std::string> read(const Fd& folder, const char* name) {
    const Fd file{::openat(folder.get(), name, O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    if (!file) {
        return fail_errno(name);
    }
    std::string text;
    std::array<char, 4096> block{};
    while (true) {
        const auto got = ::read(file.get(), block.data(), block.size());
        if (got == 0) {
            return text;
        }
        if (got > 0) {
            text.append(block.data(), static_cast<std::size_t>(got));
        } else if (errno != EINTR) {
            return fail_errno(name);
        }
    }
}

Result<Stat> read_stat(const Fd& process) {
    constexpr std::size_t session_after_comm = 3;
    constexpr std::size_t threads_after_comm = 17;
    constexpr std::size_t start_time_after_comm = 19;
    const auto text = read(process, "stat");
    if (!text) {
        return std::unexpected(text.error());
    }
    // The name may itself contain parentheses and spaces; nothing after it does.
    const auto open = text->find('(');
    const auto close = text->rfind(')');
    if (open == std::string::npos || close == std::string::npos || close < open) {
        return fail(ErrorCode::io, "stat: no process name in it");
    }
    const auto fields = std::string_view{*text}.substr(std::min(close + 2, text->size()));
    const auto state = word(fields, 0);
    const auto parent = word(fields, 1).and_then(number<std::int32_t>);
    const auto session = word(fields, session_after_comm).and_then(number<std::int32_t>);
    const auto threads = word(fields, threads_after_comm).and_then(number<std::uint64_t>);
    const auto start = word(fields, start_time_after_comm).and_then(number<std::uint64_t>);
    if (!state || state->empty() || !parent || !session || !threads || !start) {
        return fail(ErrorCode::io, "stat: no state, parent, session, threads or start time in it");
    }
    return Stat{.comm = text->substr(open + 1, close - open - 1),
                .state = state->front(),
                .parent = *parent,
                .session = *session,
                .threads = *threads,
                .start_ticks = *start};
}

/// The words behind "KEY:" in /proc/PID/status. The kernel escapes line ends in the process's name.
std::optional<std::string_view> status_line(std::string_view status, std::string_view key) {
    for (const auto part : status | std::views::split('\n')) {
        const std::string_view line{part};
        if (line.starts_with(key) && line.substr(key.size()).starts_with(":\t")) {
            return line.substr(key.size() + 2);
        }
    }
    return std::nullopt;
}

/// The real user: who runs it, whatever rights the program has been lent.
Result<std::uint32_t> read_uid(const Fd& process) {
    const auto status = read(process, "status");
    if (!status) {
        return std::unexpected(status.error());
    }
    const auto real = status_line(*status, "Uid").transform([](std::string_view ids) {
        return ids.substr(0, ids.find('\t'));
    });
    const auto uid = real.and_then(number<std::uint32_t>);
    return uid ? Result<std::uint32_t>{*uid} : fail(ErrorCode::io, "status: no user id in it");
}

/// Empty for kernel threads, zombies, and processes that we may not look into.
std::string read_exe(const Fd& process) {
    std::array<char, PATH_MAX> target{};
    const auto length = ::readlinkat(process.get(), "exe", target.data(), target.size());
    std::string_view path{target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
    constexpr std::string_view replaced{" (deleted)"};
    if (path.ends_with(replaced)) {
        path.remove_suffix(replaced.size());
    }
    return printable(path);
}

/// Asks nobody but the kernel: a network file system that hangs must not hang us.
Result<FileNumber> number_of(int folder, const char* name, int flags) {
    struct statx status{};
    if (::statx(folder, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | flags, STATX_INO, &status) != 0) {
        return fail_errno(name);
    }
    return FileNumber{.device = makedev(status.stx_dev_major, status.stx_dev_minor), .inode = status.stx_ino};
}

/// Takes the descriptor over.
std::unique_ptr<DIR, CloseFolder> list(Fd fd) {
    std::unique_ptr<DIR, CloseFolder> folder{::fdopendir(fd.get())};
    if (folder) {
        [[maybe_unused]] const int owned_by_folder = fd.release();
    }
    return folder;
}

/// The kernel says so at once since 6.2; before, and where the tree is made up, they have to be counted.
Result<std::uint64_t> count_descriptors(const Fd& process) {
    Fd descriptors{::openat(process.get(), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    struct stat status{};
    struct statfs file_system{};
    if (!descriptors || ::fstat(descriptors.get(), &status) != 0 ||
        ::fstatfs(descriptors.get(), &file_system) != 0) {
        return fail_errno("fd");
    }
    if (file_system.f_type == PROC_SUPER_MAGIC && status.st_size > 0) {
        return static_cast<std::uint64_t>(status.st_size);
    }
    const auto folder = list(std::move(descriptors));
    if (!folder) {
        return fail_errno("fd");
    }
    std::uint64_t count = 0;
    while (const dirent* entry = ::readdir(folder.get())) {
        count += number<int>(entry->d_name) ? 1U : 0U;
    }
    return count;
}

/// "Max open files            1024                 524288               files"
Result<std::uint64_t> read_descriptor_limit(const Fd& process) {
    constexpr std::string_view title{"Max open files"};
    const auto limits = read(process, "limits");
    if (!limits) {
        return std::unexpected(limits.error());
    }
    for (const auto part : *limits | std::views::split('\n')) {
        const std::string_view line{part};
        if (!line.starts_with(title)) {
            continue;
        }
        const auto rest = line.substr(std::min(line.find_first_not_of(' ', title.size()), line.size()));
        const auto soft = rest.substr(0, rest.find(' '));
        const auto limit = soft == "unlimited" ? std::optional{UINT64_MAX} : number<std::uint64_t>(soft);
        if (limit) {
            return *limit;
        }
    }
    return fail(ErrorCode::io, "limits: no limit of open files in it");
}

/// PROC_PID_INIT_INO of the kernel: the pid namespace that all others descend from.
constexpr std::uint64_t first_pid_namespace = 4026531836;

/// PROC_USER_INIT_INO of the kernel: the user namespace that all others descend from.
constexpr std::uint64_t first_user_namespace = 4026531837;

/// When in doubt it is one.
bool is_of_user_namespace(const Fd& process) {
    const Fd space{::openat(process.get(), "ns/mnt", O_RDONLY | O_CLOEXEC)};
    const Fd owner{space ? ::ioctl(space.get(), NS_GET_USERNS) : -1};
    struct stat status{};
    return !owner || ::fstat(owner.get(), &status) != 0 || status.st_ino != first_user_namespace;
}

/// The root as statx(2) tells it: an id of what is mounted there, and whether it is the top of that.
Result<> describe(MountRoot& root) {
    constexpr unsigned unique_id = 0x4000; // STATX_MNT_ID_UNIQUE of 6.8; others are given again
    struct statx status{};
    if (::statx(root.fd.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID | unique_id, &status) !=
        0) {
        return fail_errno("root");
    }
    root.mount_id = status.stx_mnt_id;
    root.is_mount = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return {};
}

/// "36 35 98:0 /part /mnt rw,noatime master:1 - ext3 /dev/root rw"
std::optional<MountPoint> mount_point_of(std::string_view line) {
    constexpr std::string_view separator{" - "};
    const auto id = word(line, 0).and_then(number<std::uint64_t>);
    const auto device = word(line, 2);
    const auto root = word(line, 3);
    const auto path = word(line, 4);
    const auto rest = line.find(separator);
    if (!id || !device || !root || !path || rest == std::string_view::npos) {
        return std::nullopt;
    }
    const auto type = word(line.substr(rest + separator.size()), 0);
    return MountPoint{.id = *id,
                      .path = without_octal(*path),
                      .file_system = std::string{type.value_or("")},
                      .device = std::string{*device},
                      .root = without_octal(*root)};
}

std::string read_boot_id(const Fd& root) {
    const auto text = read(root, "sys/kernel/random/boot_id");
    if (!text) {
        throw std::runtime_error{text.error().message};
    }
    return text->substr(0, text->find('\n'));
}

} // namespace

Result<FileNumber> file_number(int fd) {
    return number_of(fd, "", AT_EMPTY_PATH);
}

ProcFs::ProcFs(const std::filesystem::path& root)
    : root_{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)} {
    if (!root_) {
        throw std::system_error{errno, std::generic_category(), "opening " + root.string()};
    }
    boot_id_ = read_boot_id(root_);
}

std::filesystem::path ProcFs::default_root() {
    const std::filesystem::path hosts{"/run/host/proc"};
    struct statfs file_system{};
    return ::statfs(hosts.c_str(), &file_system) == 0 && file_system.f_type == PROC_SUPER_MAGIC ? hosts
                                                                                                : "/proc";
}

/// A descriptor of /proc/PID stays with that process: once it has ended, everything read through it fails,
/// whoever has its pid then.
Result<Fd> ProcFs::open_process(std::int32_t pid) const {
    Fd folder{::openat(root_.get(), std::to_string(pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder) {
        return fail_errno(formatted("process {}", pid));
    }
    return folder;
}

Result<Process> ProcFs::process(std::int32_t pid) const {
    const auto folder = open_process(pid);
    if (!folder) {
        return std::unexpected(folder.error());
    }
    Process process;
    process.exe = read_exe(*folder);
    auto names = names_of_cgroup_file(read(*folder, "cgroup").value_or(""));
    process.unit = std::move(names.unit);
    process.container = std::move(names.container);
    process.around = std::move(names.around);
    const auto uid = read_uid(*folder);
    // The last to be read: if it is still there now, it was there all the time.
    const auto stat = read_stat(*folder);
    if (!uid || !stat) {
        const auto& error = uid ? stat.error() : uid.error();
        return fail(error.code, "process {}: {}", pid, error.message);
    }
    process.uid = *uid;
    process.comm = printable(stat->comm);
    process.id = {.boot_id = boot_id_, .pid = pid, .start_ticks = stat->start_ticks};
    return process;
}

Result<ProcessIdentity> ProcFs::identity(std::int32_t pid) const {
    const auto folder = open_process(pid);
    if (!folder) {
        return std::unexpected(folder.error());
    }
    const auto stat = read_stat(*folder);
    if (!stat) {
        return fail(stat.error().code, "process {}: {}", pid, stat.error().message);
    }
    return ProcessIdentity{.boot_id = boot_id_, .pid = pid, .start_ticks = stat->start_ticks};
}

Result<ProcessLink> ProcFs::link(std::int32_t pid) const {
    const auto folder = open_process(pid);
    if (!folder) {
        return std::unexpected(folder.error());
    }
    const auto stat = read_stat(*folder);
    if (!stat) {
        return fail(stat.error().code, "process {}: {}", pid, stat.error().message);
    }
    return ProcessLink{
        .pid = pid, .parent = stat->parent, .session = stat->session, .start_ticks = stat->start_ticks};
}

Result<DescriptorUse> ProcFs::descriptors(std::int32_t pid) const {
    const auto folder = open_process(pid);
    if (!folder) {
        return std::unexpected(folder.error());
    }
    const auto open = count_descriptors(*folder);
    const auto limit = read_descriptor_limit(*folder);
    const auto stat = read_stat(*folder);
    for (const auto* error :
         {open ? nullptr : &open.error(), limit ? nullptr : &limit.error(), stat ? nullptr : &stat.error()}) {
        if (error != nullptr) {
            return fail(error->code, "process {}: {}", pid, error->message);
        }
    }
    return DescriptorUse{.start_ticks = stat->start_ticks, .open = *open, .limit = *limit};
}

Result<ProcessState> ProcFs::state(std::int32_t pid) const {
    const auto folder = open_process(pid);
    if (!folder) {
        return std::unexpected(folder.error());
    }
    const auto status = read(*folder, "status");
    const auto stat = read_stat(*folder);
    if (!status || !stat) {
        const auto& error = status ? stat.error() : status.error();
        return fail(error.code, "process {}: {}", pid, error.message);
    }
    const auto tracer = status_line(*status, "TracerPid").and_then(number<std::int32_t>);
    const auto pids = status_line(*status, "NSpid").value_or("");
    return ProcessState{.start_ticks = stat->start_ticks,
                        .comm = printable(stat->comm),
                        .state = stat->state,
                        .parent = stat->parent,
                        .tracer = tracer.value_or(0),
                        .threads = stat->threads,
                        .is_container_init = pids.ends_with("\t1")};
}

Result<std::string> ProcFs::cgroup(std::int32_t pid) const {
    constexpr std::string_view unified{"0::"};
    const auto folder = open_process(pid);
    const auto text = folder ? read(*folder, "cgroup") : std::unexpected(folder.error());
    if (!text) {
        return std::unexpected(text.error());
    }
    for (const auto part : *text | std::views::split('\n')) {
        if (const std::string_view line{part}; line.starts_with(unified)) {
            return std::string{line.substr(unified.size())};
        }
    }
    return fail(ErrorCode::not_found, "process {} is in no control group of the unified hierarchy", pid);
}

/// "0.20 0.18 0.12 1/80 11206": the fourth has all that there are behind its slash.
Result<TaskRoom> ProcFs::task_room() const {
    const auto load = read(root_, "loadavg");
    const auto pids = read(root_, "sys/kernel/pid_max");
    const auto threads = read(root_, "sys/kernel/threads-max");
    if (!load || !pids || !threads) {
        return std::unexpected(!load ? load.error() : !pids ? pids.error() : threads.error());
    }
    const auto tasks = word(*load, 3).and_then([](std::string_view text) {
        return number<std::uint64_t>(text.substr(std::min(text.find('/') + 1, text.size())));
    });
    const auto most_pids = first_number(*pids);
    const auto most_threads = first_number(*threads);
    if (!tasks || !most_pids || !most_threads) {
        return fail(ErrorCode::io, "loadavg, pid_max or threads-max: no number in it");
    }
    return TaskRoom{.used = *tasks, .limit = std::min(*most_pids, *most_threads)};
}

std::vector<std::int32_t> ProcFs::pids() const {
    std::vector<std::int32_t> found;
    // A descriptor of its own, because a position in the folder belongs to the descriptor.
    const auto folder = list(Fd{::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)});
    if (!folder) {
        return found;
    }
    while (const dirent* entry = ::readdir(folder.get())) {
        if (const auto pid = number<std::int32_t>(entry->d_name)) {
            found.push_back(*pid);
        }
    }
    return found;
}

std::vector<NetNamespace> ProcFs::net_namespaces() const {
    std::vector<NetNamespace> found;
    std::set<std::uint64_t> known;
    for (const auto pid : pids()) {
        Fd fd{::openat(root_.get(), formatted("{}/ns/net", pid).c_str(), O_RDONLY | O_CLOEXEC)};
        struct stat status{};
        if (fd && ::fstat(fd.get(), &status) == 0 && known.insert(status.st_ino).second) {
            found.push_back({.inode = status.st_ino, .fd = std::move(fd)});
        }
    }
    return found;
}

std::vector<MountPoint> MountRoot::mounts() const {
    std::vector<MountPoint> found;
    const auto text = read(process, "mountinfo").value_or("");
    for (const auto line : text | std::views::split('\n')) {
        if (auto point = mount_point_of(std::string_view{line})) {
            found.push_back(std::move(*point));
        }
    }
    return found;
}

Result<std::uint64_t> ProcFs::mount_namespace(std::int32_t pid) const {
    return number_of(root_.get(), formatted("{}/ns/mnt", pid).c_str(), 0)
        .transform([](const FileNumber& number) {
            return number.inode;
        });
}

Result<MountRoot> ProcFs::mount_root(std::int32_t pid) const {
    auto folder = open_process(pid);
    if (!folder) {
        return std::unexpected(folder.error());
    }
    MountRoot root;
    root.fd = Fd{::openat(folder->get(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!root.fd) {
        return fail_errno(formatted("root of process {}", pid));
    }
    const auto described = describe(root);
    const auto space = number_of(folder->get(), "ns/mnt", 0);
    root.is_users = is_of_user_namespace(*folder);
    // The last to be read: if it is still there now, it was there all the time.
    const auto stat = read_stat(*folder);
    if (!described || !space || !stat) {
        return std::unexpected(!described ? described.error() : !space ? space.error() : stat.error());
    }
    root.resident = {.boot_id = boot_id_, .pid = pid, .start_ticks = stat->start_ticks};
    root.mount_namespace = space->inode;
    root.process = std::move(*folder);
    return root;
}

bool ProcFs::is_inner_pid_of_another(std::int32_t pid, std::uint64_t pid_namespace,
                                     const ProcessIdentity& than) const {
    return std::ranges::any_of(pids(), [&](std::int32_t each) {
        const auto process = open_process(each);
        const auto status = process ? read(*process, "status") : std::unexpected(process.error());
        const auto all = status ? status_line(*status, "NSpid") : std::nullopt;
        const auto innermost = all.transform([](std::string_view text) {
            return text.substr(text.rfind('\t') + 1);
        });
        if (innermost.and_then(number<std::int32_t>) != pid) {
            return false;
        }
        const auto id = identity(each);
        if (!id || *id == than) {
            return false;
        }
        if (!all->contains('\t')) {
            const auto ours = number_of(AT_FDCWD, "/proc/self/ns/pid", 0);
            return pid_namespace == first_pid_namespace || !ours || ours->inode == pid_namespace;
        }
        // One that lets nobody look may be the one.
        const auto space = number_of(process->get(), "ns/pid", 0);
        return !space || space->inode == pid_namespace;
    });
}

OpenFiles ProcFs::open_files(const std::function<bool(const FileNumber&)>& wanted) const {
    OpenFiles files;
    for (const auto pid : pids()) {
        add_open_files(pid, wanted, files);
    }
    return files;
}

void ProcFs::add_open_files(std::int32_t pid, const std::function<bool(const FileNumber&)>& wanted,
                            OpenFiles& files) const {
    const auto process = open_process(pid);
    if (!process) {
        return;
    }
    Fd descriptors{::openat(process->get(), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!descriptors) {
        files.refused += errno == EACCES || errno == EPERM ? 1 : 0;
        return;
    }
    const auto folder = list(std::move(descriptors));
    if (!folder) {
        return;
    }
    std::optional<Stat> stat;
    while (const dirent* entry = ::readdir(folder.get())) {
        const auto fd = number<int>(entry->d_name);
        const auto file = fd ? number_of(::dirfd(folder.get()), entry->d_name, 0) : std::unexpected(Error{});
        if (!file || !wanted(*file)) {
            continue;
        }
        if (!stat) {
            auto read = read_stat(*process);
            if (!read) {
                return;
            }
            stat = std::move(*read);
        }
        files.found.push_back({.pid = pid, .start_ticks = stat->start_ticks, .fd = *fd, .file = *file});
    }
}

std::vector<OpenFile> ProcFs::those_inside(const FileNumber& directory) const {
    std::vector<OpenFile> inside;
    for (const auto pid : pids()) {
        const auto process = open_process(pid);
        const auto is_at = [&](const char* link) {
            return process && number_of(process->get(), link, 0) == directory;
        };
        if (!is_at("cwd") && !is_at("root")) {
            continue;
        }
        if (const auto stat = read_stat(*process)) {
            inside.push_back({.pid = pid, .start_ticks = stat->start_ticks, .fd = -1, .file = directory});
        }
    }
    return inside;
}

Result<std::vector<std::string>> ProcFs::lock_lines() const {
    return read(root_, "locks").transform([](const std::string& text) {
        return text | std::views::split('\n') | std::ranges::to<std::vector<std::string>>();
    });
}

std::vector<std::string> ProcFs::lock_lines_of(std::int32_t pid, int fd) const {
    constexpr std::string_view title{"lock:\t"};
    const auto text = read(root_, formatted("{}/fdinfo/{}", pid, fd).c_str()).value_or("");
    std::vector<std::string> found;
    for (const auto part : text | std::views::split('\n')) {
        if (const std::string_view line{part}; line.starts_with(title)) {
            found.emplace_back(line.substr(title.size()));
        }
    }
    return found;
}

/// NSpid lists our pid in the tree's pid namespace and in each one below it, down to our own. A comparison of
/// self/ns/pid would not do: that is our own namespace in whatever tree we look it up.
bool ProcFs::has_our_pids() const {
    const auto status = read(root_, "self/status");
    const auto pids = status ? status_line(*status, "NSpid") : std::nullopt;
    return pids.and_then(number<pid_t>) == ::getpid();
}

Result<std::int32_t> ProcFs::our_pid_of(std::int32_t pid) const {
    if (has_our_pids()) {
        return pid;
    }
    const auto process = open_process(pid);
    if (!process) {
        return std::unexpected(process.error());
    }
    const auto theirs = number_of(process->get(), "ns/pid", 0);
    const auto ours = number_of(AT_FDCWD, "/proc/self/ns/pid", 0);
    const auto status = read(*process, "status");
    const auto pids = status ? status_line(*status, "NSpid") : std::nullopt;
    const auto innermost = pids.transform([](std::string_view all) {
        return all.substr(all.rfind('\t') + 1);
    });
    const auto known = innermost.and_then(number<std::int32_t>);
    if (!theirs || !ours || *theirs != *ours || !known) {
        return fail(ErrorCode::unsupported, "process {} lives outside of our pid namespace", pid);
    }
    return *known;
}

} // namespace egb::host
