// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lockfile.hpp"

#include "core/format.hpp"
#include "kinds/lockfile/evidence.hpp"
#include "kinds/lockfile/fanotify.hpp"
#include "kinds/lockfile/lock_kind.hpp"
#include "kinds/lockfile/options.hpp"

#include "host/bpf_events.hpp"
#include "host/fan_watch.hpp"
#include "lockfile.skel.h"
#include "lockfile_fanotify.skel.h"
#include "lockfile_vfs.skel.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace egb::lockfile {

namespace {

/// What opens files has one name before Linux 7.0 and another since.
constexpr std::array<std::string_view, 2> openings{"egb_lock_filp_opened", "egb_lock_file_opened"};

std::span<const std::byte> bytes_of(const void* (*elf_bytes)(std::size_t* size)) {
    std::size_t size = 0;
    const void* elf = elf_bytes(&size);
    return {static_cast<const std::byte*>(elf), size};
}

/// Those with multigrain timestamps, and overlayfs, of which the one below it counts.
constexpr std::array<std::string_view, 5> multigrain{"ext4", "xfs", "btrfs", "tmpfs", "overlay"};

Mechanism timestamps(host::FdStore& store) {
    const host::BpfImage image{
        .name = "lockfile", .layout = EGB_LOCK_LAYOUT, .elf = bytes_of(lockfile_bpf__elf_bytes)};
    return {.name = "timestamps",
            .sees =
                "tp_btf/{ctime_ns_xchg,inode_set_ctime_to_ts,ctime_xchg_skip} tell of files that are "
                "created exclusively, in every mount namespace, on file systems with multigrain "
                "timestamps (ext4, XFS, btrfs, tmpfs); not of those on others, nor of those that io_uring "
                "or a 32-bit program creates, which are never touched",
            .events = std::make_unique<host::BpfEvents>(image, store),
            .file_systems = multigrain};
}

Mechanism fexit(host::FdStore& store) {
    const host::BpfImage image{.name = "lockfile_vfs",
                               .layout = EGB_LOCK_LAYOUT,
                               .elf = bytes_of(lockfile_vfs_bpf__elf_bytes),
                               .optional = openings};
    return {.name = "fexit",
            .sees = "fexit/{do_filp_open,vfs_link,vfs_symlink,vfs_mkdir,vfs_rename} tell of files that are "
                    "created exclusively, whoever asks for it, on every file system and in every mount "
                    "namespace; not of those that mknod creates, which are never touched",
            .events = std::make_unique<host::BpfEvents>(image, store),
            .either = openings};
}

Mechanism fanotify(const host::Surroundings& surroundings) {
    const host::BpfImage image{.name = "lockfile_fanotify",
                               .layout = EGB_LOCK_LAYOUT,
                               .elf = bytes_of(lockfile_fanotify_bpf__elf_bytes)};
    auto events = std::make_unique<FanotifyEvents>(
        std::make_unique<host::BpfEvents>(image, surroundings.fd_store),
        std::make_unique<host::FanWatch>(surroundings.procfs, surroundings.fd_store,
                                         formatted("{}.v{}.queue.names", image.name, image.layout)),
        surroundings.clock);
    const FanotifyEvents& told = *events;
    return {
        .name = "fanotify",
        .sees =
            "fanotify tells of files that are made, whoever asks for it, and not whether that was exclusive, "
            "so that nothing is ever proven",
        .events = std::move(events),
        .extent = [&told] {
            return told.extent();
        }};
}

} // namespace

const KindInfo& info() {
    static constexpr std::array<std::string_view, 7> capabilities{
        "CAP_BPF",          "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH",
        "CAP_DAC_OVERRIDE", "CAP_FOWNER",  "CAP_CHOWN"};
    static constexpr KindInfo info{
        .name = "lockfile",
        .summary = "Lock files whose owners have died and left them behind",
        .reach = Reach::cleans,
        .options = options,
        .evidence = evidence_rules,
        .capabilities = capabilities,
        .bond = "made by",
        .lists = known_names,
    };
    return info;
}

KindPtr make(const host::Surroundings& surroundings) {
    std::vector<Mechanism> mechanisms;
    mechanisms.push_back(timestamps(surroundings.fd_store));
    mechanisms.push_back(fexit(surroundings.fd_store));
    mechanisms.push_back(fanotify(surroundings));
    return std::make_unique<LockKind>(surroundings, std::move(mechanisms));
}

} // namespace egb::lockfile
