// SPDX-License-Identifier: Apache-2.0
// The real NameWatch: a group of fanotify(7) that has marked every local file system which the machine's own
// mount namespace has. Its queue is bounded by the kernel (fs.fanotify.max_queued_events), and stays in the
// descriptor store while the daemon is restarted.
#pragma once

#include "host/fd_store.hpp"
#include "host/mount_roots.hpp"
#include "host/name_watch.hpp"
#include "host/procfs.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace egb::host {

class FanWatch final : public NameWatch {
public:
    /// `name` is that in the store.
    FanWatch(const ProcFs& procfs, FdStore& store, std::string name)
        : store_{store}, name_{std::move(name)}, roots_{procfs} {}

    [[nodiscard]] Result<> start() override;
    [[nodiscard]] int poll_fd() const override { return poll_.get(); }
    [[nodiscard]] Result<> wait_also_for(int fd) override;
    [[nodiscard]] int queue() const override { return group_.get(); }
    [[nodiscard]] Result<NameReading> read(std::size_t most) override;
    [[nodiscard]] Result<NamedFile> open(const NameNews& made) override;
    void let_go() override { anchors_.clear(); }
    [[nodiscard]] std::string extent() const override;

private:
    [[nodiscard]] Result<> open_group();
    [[nodiscard]] Result<> follow_mounts(const MountRoot& root);
    [[nodiscard]] Result<> mark_all();
    void mark(const MountRoot& root, const MountPoint& mount);
    [[nodiscard]] bool has_new_mounts() const;
    /// The bytes of the next event; none when none waits.
    [[nodiscard]] Result<std::vector<std::byte>> next_event() const;
    [[nodiscard]] Result<int> anchor_of(std::uint64_t file_system);
    [[nodiscard]] Result<Fd> open_handle(std::uint64_t file_system, const std::string& handle);

    FdStore& store_;
    std::string name_;
    MountRoots roots_;
    Fd group_;
    Fd poll_;
    /// Polling a mount table takes the news out of it: one wakes us, the other says why.
    Fd mounts_waking_;
    Fd mounts_telling_;
    std::map<std::uint64_t, std::string> marked_; ///< by file system, where it is mounted
    std::map<std::string, std::string> unmarked_; ///< why, by mount point
    std::map<std::uint64_t, Fd> anchors_;         ///< something open on each
};

} // namespace egb::host
