// SPDX-License-Identifier: Apache-2.0
// The real Files: goes through the root of a process that lives in the namespace (host/mount_roots.hpp), and
// enters no file system that may keep it waiting (host/path_walk.hpp).
#pragma once

#include "host/exports.hpp"
#include "host/files.hpp"
#include "host/mount_roots.hpp"
#include "host/path_walk.hpp"
#include "host/procfs.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace egb::host {

class MountFiles final : public Files {
public:
    explicit MountFiles(const ProcFs& procfs, ExportPlaces places = {})
        : roots_{procfs}, exports_{roots_, std::move(places)} {}

    [[nodiscard]] Result<FileSight> look(const FileName& name) override;
    [[nodiscard]] Result<Fd> open(const FileName& name, const FileIdentity& id) override;
    [[nodiscard]] Result<bool> is_exported(const FileSight& sight) override {
        return exports_.cover(sight.site);
    }

    [[nodiscard]] std::string file_system_of(std::uint64_t device) override;
    [[nodiscard]] std::vector<std::string> machine_paths(const FileSight& sight) override;

private:
    [[nodiscard]] std::vector<MountPoint> machines_mounts();
    [[nodiscard]] std::uint64_t machines_own() override { return roots_.machines_own().value_or(0); }
    [[nodiscard]] Result<Spot> go_to(const FileName& name);

    MountRoots roots_;
    Exports exports_;
};

} // namespace egb::host
