// SPDX-License-Identifier: Apache-2.0
// Folders that this machine serves to others by the NFS server of its kernel, as exportfs(8) keeps them in a
// table. Who works on a file from there is no process of this machine. Used on the loop.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/mount_roots.hpp"
#include "host/procfs.hpp"
#include "host/site.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::host {

class Exports {
public:
    static constexpr std::string_view usual_table = "/var/lib/nfs/etab";

    /// The table is one of the machine's own files.
    explicit Exports(MountRoots& roots, std::string table = std::string{usual_table})
        : roots_{roots}, table_{std::move(table)} {}

    /// Whether other machines may see what is there; fails when that cannot be found out.
    [[nodiscard]] Result<bool> cover(const Site& site);

private:
    [[nodiscard]] Result<> refresh();
    [[nodiscard]] Result<> read(const MountRoot& machine, const Fd& table);
    [[nodiscard]] Result<> add(const MountRoot& machine, const std::string& folder);
    void forget();

    MountRoots& roots_;
    std::string table_;
    // What it was read by: with another table, or other mounts, it is read again.
    FileIdentity id_;
    std::int64_t changed_ns_{};
    std::vector<MountPoint> mounts_;
    std::vector<Site> sites_;
};

/// The folders of such a table.
[[nodiscard]] std::vector<std::string> exported_folders(std::string_view table);

} // namespace egb::host
