// SPDX-License-Identifier: Apache-2.0
// Who has this file open, on the whole machine, whatever the mount or pid namespace.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <vector>

namespace egb::host {

/// An inode as the kernel knows it; sockets and pipes have one too.
struct InodeId {
    std::uint64_t device{}; ///< as in struct stat
    std::uint64_t inode{};

    bool operator==(const InodeId&) const = default;
};

class HolderScan {
public:
    virtual ~HolderScan() = default;
    [[nodiscard]] virtual Result<std::vector<Holder>> find(const InodeId& file) = 0;
};

} // namespace egb::host
