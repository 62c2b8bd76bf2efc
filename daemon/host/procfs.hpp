// SPDX-License-Identifier: Apache-2.0
// /proc, the only way into it. The root is a parameter: in the appliance it is the host's /proc, whose pids
// are those that the kernel side reports; in tests it is a made-up tree. Names are made printable
// (core/utf8.hpp) on their way in: a process may call itself anything.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace egb::host {

/// A network namespace, by inode, and a descriptor to enter it.
struct NetNamespace {
    std::uint64_t inode{};
    Fd fd;
};

/// What stat(2) tells files apart by.
struct FileNumber {
    std::uint64_t device{};
    std::uint64_t inode{};

    auto operator<=>(const FileNumber&) const = default;
};

[[nodiscard]] Result<FileNumber> file_number(int fd);

/// A descriptor of a process, and what it is open on.
struct OpenFile {
    std::int32_t pid{};
    std::uint64_t start_ticks{};
    int fd{};
    FileNumber file;
};

struct OpenFiles {
    std::vector<OpenFile> found;
    std::size_t refused{}; ///< processes that did not let us look
};

/// How many descriptors a process has, and how many it may have.
struct DescriptorUse {
    std::uint64_t start_ticks{}; ///< of the process that this is about
    std::uint64_t open{};
    std::uint64_t limit{}; ///< RLIMIT_NOFILE, the soft one; UINT64_MAX when there is none
};

/// What a process is doing, as far as it says who waits for whom.
struct ProcessState {
    std::uint64_t start_ticks{};
    std::string comm;
    char state{}; ///< as in /proc/PID/stat: 'Z' has died, 'T' and 't' are stopped
    std::int32_t parent{};
    std::int32_t tracer{};    ///< 0 when nobody traces it
    std::uint64_t threads{};  ///< those that have ended, and cannot be freed yet, too
    bool is_container_init{}; ///< PID 1 of a pid namespace below the tree's
};

/// Tasks, processes and threads alike, where they are limited.
struct TaskRoom {
    std::uint64_t used{};
    std::uint64_t limit{};
};

/// Something that is mounted, as the processes of one mount namespace see it.
struct MountPoint {
    std::uint64_t id{}; ///< as statx(2) tells it of what is in there; it is given again
    std::string path;
    std::string file_system; ///< "ext4", "fuse.sshfs"
    std::string device;      ///< of the file system: "8:1"
    std::string root;        ///< the folder of it that is mounted there

    bool operator==(const MountPoint&) const = default;
};

/// The root directory of a process, and with it the way into its mount namespace.
struct MountRoot {
    ProcessIdentity resident;
    std::uint64_t mount_namespace{}; ///< inode
    std::uint64_t mount_id{};        ///< of what is mounted there; the older, the smaller
    bool is_mount{};                 ///< a whole mount, and no directory that the process has changed to
    bool is_users{}; ///< the namespace is one that a user has made, who may mount in it what he likes
    Fd fd;           ///< opened with O_PATH
    Fd process;      ///< its directory in /proc

    /// All that can be reached from there, in the order in which it was mounted.
    [[nodiscard]] std::vector<MountPoint> mounts() const;
};

/// A process, and who is its parent and whose its session now.
struct ProcessLink {
    std::int32_t pid{};
    std::int32_t parent{};
    std::int32_t session{}; ///< the pid of its leader
    std::uint64_t start_ticks{};
};

class ProcFs {
public:
    /// Opens the tree; throws std::runtime_error when it is not there.
    explicit ProcFs(const std::filesystem::path& root);

    /// The host's /proc where the appliance has it bound, else our own.
    [[nodiscard]] static std::filesystem::path default_root();

    [[nodiscard]] const std::string& boot_id() const { return boot_id_; }

    /// Everything about one process; not_found when it is gone, even half way.
    [[nodiscard]] Result<Process> process(std::int32_t pid) const;

    /// Only its identity, for a second look.
    [[nodiscard]] Result<ProcessIdentity> identity(std::int32_t pid) const;

    /// The same, with its parent.
    [[nodiscard]] Result<ProcessLink> link(std::int32_t pid) const;

    [[nodiscard]] Result<DescriptorUse> descriptors(std::int32_t pid) const;

    [[nodiscard]] Result<ProcessState> state(std::int32_t pid) const;

    /// Its control group, as in /proc/PID/cgroup of the unified hierarchy.
    [[nodiscard]] Result<std::string> cgroup(std::int32_t pid) const;

    /// Of the whole machine.
    [[nodiscard]] Result<TaskRoom> task_room() const;

    [[nodiscard]] std::vector<std::int32_t> pids() const;

    /// Each network namespace in which some process lives, once. Those of processes that may not be looked
    /// into are not among them.
    [[nodiscard]] std::vector<NetNamespace> net_namespaces() const;

    /// The inode of the mount namespace that a process lives in; `denied` when we may not look into it.
    [[nodiscard]] Result<std::uint64_t> mount_namespace(std::int32_t pid) const;

    [[nodiscard]] Result<MountRoot> mount_root(std::int32_t pid) const;

    /// Whether another process has this pid in that pid namespace, which is its own. Who ends keeps his for a
    /// while, in any state.
    [[nodiscard]] bool is_inner_pid_of_another(std::int32_t pid, std::uint64_t pid_namespace,
                                               const ProcessIdentity& than) const;

    /// Every descriptor of every process that is open on a file which is wanted, all in one pass. For where
    /// the kernel side cannot list them: it is the slower way, and blind to threads with descriptors of their
    /// own.
    [[nodiscard]] OpenFiles open_files(const std::function<bool(const FileNumber&)>& wanted) const;

    /// Who has that as a working or root directory, each with -1 in place of a descriptor.
    [[nodiscard]] std::vector<OpenFile> those_inside(const FileNumber& directory) const;

    /// All locks on files that the kernel knows of, a line each: see host/kernel_locks.hpp.
    [[nodiscard]] Result<std::vector<std::string>> lock_lines() const;

    /// Those by one descriptor of a process; none when it is gone.
    [[nodiscard]] std::vector<std::string> lock_lines_of(std::int32_t pid, int fd) const;

    /// Whether the pids of this tree mean to the kernel, when we use them in a system call, what they mean
    /// here. Not so in a container that looks at the host's /proc.
    [[nodiscard]] bool has_our_pids() const;

    /// By which pid our own system calls know that process. `unsupported` when it is of another pid
    /// namespace.
    [[nodiscard]] Result<std::int32_t> our_pid_of(std::int32_t pid) const;

private:
    void add_open_files(std::int32_t pid, const std::function<bool(const FileNumber&)>& wanted,
                        OpenFiles& files) const;
    [[nodiscard]] Result<Fd> open_process(std::int32_t pid) const;

    Fd root_;
    std::string boot_id_;
};

} // namespace egb::host
