// SPDX-License-Identifier: Apache-2.0
// The real Files: reaches into a mount namespace through the root of a process that lives there.
#pragma once

#include "host/files.hpp"
#include "host/procfs.hpp"

namespace egb::host {

class MountFiles final : public Files {
public:
    explicit MountFiles(const ProcFs& procfs) : procfs_{procfs} {}

    [[nodiscard]] Result<FileSight> look(const FileName& name) override;
    [[nodiscard]] Result<Fd> open(const FileName& name, const FileIdentity& id) override;

private:
    const ProcFs& procfs_;
};

} // namespace egb::host
