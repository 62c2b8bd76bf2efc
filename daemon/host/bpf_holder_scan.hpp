// SPDX-License-Identifier: Apache-2.0
// The real HolderScan: one pass of bpf/holders.bpf.c over all descriptors of all processes.
#pragma once

#include "host/bpf_object.hpp"
#include "host/holder_scan.hpp"
#include "host/procfs.hpp"

#include <memory>

namespace egb::host {

class BpfHolderScan final : public HolderScan {
public:
    explicit BpfHolderScan(const ProcFs& procfs) : procfs_{procfs} {}

    /// The program is loaded when it is first asked for: most daemons never are.
    [[nodiscard]] Result<std::vector<Holder>> find(const InodeId& file) override;

private:
    [[nodiscard]] Result<> load();

    const ProcFs& procfs_;
    std::unique_ptr<BpfObject> object_;
};

} // namespace egb::host
