// SPDX-License-Identifier: Apache-2.0
// The real HolderScan: two passes of bpf/holders.bpf.c over all descriptors of all processes, one to find our
// own and with it the inode, one to find who else has that; and one over all tasks, for who works in it.
#pragma once

#include "host/bpf_object.hpp"
#include "host/holder_scan.hpp"
#include "host/procfs.hpp"

#include <memory>

namespace egb::host {

class BpfHolderScan final : public HolderScan {
public:
    explicit BpfHolderScan(const ProcFs& procfs) : procfs_{procfs} {}

    /// The programs are loaded when they are first asked for: most daemons never are.
    [[nodiscard]] Result<std::vector<Holder>> find(int fd) override;

private:
    [[nodiscard]] Result<> load();
    [[nodiscard]] Result<> aim(int fd);

    const ProcFs& procfs_;
    std::unique_ptr<BpfObject> object_;
};

} // namespace egb::host
