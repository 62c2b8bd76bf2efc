// SPDX-License-Identifier: Apache-2.0
// The HolderScan for where iter/task_file does not reach: it lists the processes of its reader's pid
// namespace, and in a container that watches the machine these are the wrong ones. Compares what stat(2) says
// of the files.
#pragma once

#include "host/holder_scan.hpp"
#include "host/procfs.hpp"

namespace egb::host {

class ProcHolderScan final : public HolderScan {
public:
    explicit ProcHolderScan(const ProcFs& procfs) : procfs_{procfs} {}

    [[nodiscard]] Result<std::vector<Holder>> find(int fd) override;

private:
    const ProcFs& procfs_;
};

} // namespace egb::host
