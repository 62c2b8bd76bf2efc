// SPDX-License-Identifier: Apache-2.0
// Who has this file open, or works in it, on the whole machine, whatever the mount or pid namespace.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace egb::host {

class HolderScan {
public:
    /// Of a file that half the machine has open, so many are named.
    static constexpr std::size_t most_holders = 1'000;

    virtual ~HolderScan() = default;
    /// `fd` is a descriptor of this process for the file; it is among the holders. Who has it as a working or
    /// root directory is one, with no descriptor. Numbers would not do: what
    /// struct stat has for device and inode is, on some file systems, not what the kernel has.
    [[nodiscard]] virtual Result<std::vector<Holder>> find(int fd) = 0;

    /// The same without ourselves, as far as that descriptor goes.
    [[nodiscard]] Result<std::vector<Holder>> others(int fd);

    /// The same without ourselves altogether: what came over the bus, we have by more than one descriptor.
    [[nodiscard]] Result<std::vector<Holder>> outsiders(int fd);

    /// Who we are, as the kernel's first pid namespace has it.
    [[nodiscard]] Result<ProcessIdentity> ourselves();

private:
    using IsMeant = bool (*)(const Holder& ours, int fd);

    /// The same without those of ours that are meant.
    [[nodiscard]] Result<std::vector<Holder>> find_without(IsMeant is_meant, int fd);

    std::optional<ProcessIdentity> ourselves_;
};

} // namespace egb::host
