// SPDX-License-Identifier: Apache-2.0
// Folders that this machine serves to others by the NFS server of its kernel, as exportfs(8) keeps them in a
// table. Who works on a file from there is no process of this machine. Used on the loop.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/mount_roots.hpp"
#include "host/nfs_settings.hpp"
#include "host/procfs.hpp"
#include "host/site.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::host {

/// Files of the machine's own.
struct ExportPlaces {
    std::string state{"/var/lib/nfs"}; ///< the folder of the table, where nothing else is said
    /// Those in the folder of each name and ".d" count, too.
    std::vector<std::string> settings{"/usr/etc/nfs.conf", "/etc/nfs.conf"};
};

class Exports {
public:
    explicit Exports(MountRoots& roots, ExportPlaces places = {})
        : roots_{roots}, places_{std::move(places)} {}

    /// Whether other machines may see what is there; fails when that cannot be found out.
    [[nodiscard]] Result<bool> cover(const Site& site);

private:
    /// What is read: with anything else, all is read again.
    struct Sources {
        std::vector<std::string> roots{}; ///< of the folders, "" among them
        std::vector<std::string> tables{};
        std::vector<MountPoint> mounts{};

        bool operator==(const Sources&) const = default;
    };

    [[nodiscard]] Result<> refresh();
    [[nodiscard]] Result<Sources> sources_on(const MountRoot& machine) const;
    [[nodiscard]] Result<std::vector<NfsFile>> settings_files_on(const MountRoot& machine) const;
    [[nodiscard]] Result<NfsSettings> settings_on(const MountRoot& machine) const;
    [[nodiscard]] Result<bool> add_all(const MountRoot& machine, const Sources& sources);
    [[nodiscard]] Result<> add(const MountRoot& machine, const std::vector<MountPoint>& mounts,
                               const std::string& folder);

    MountRoots& roots_;
    ExportPlaces places_;
    std::optional<Sources> read_by_; ///< nothing, where something was missing that may come
    std::vector<Site> sites_;
};

/// The folders of such a table.
[[nodiscard]] std::vector<std::string> exported_folders(std::string_view table);

} // namespace egb::host
