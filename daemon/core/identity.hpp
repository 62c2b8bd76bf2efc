// SPDX-License-Identifier: Apache-2.0
// Who somebody is, in terms the kernel cannot give to anyone else.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace egb {

/// A process for ever: a pid alone is recycled, a pid with its start time in one boot is not.
struct ProcessIdentity {
    std::string boot_id;
    std::int32_t pid{};
    std::uint64_t start_ticks{}; ///< field 22 of /proc/PID/stat, in clock ticks since boot

    auto operator<=>(const ProcessIdentity&) const = default;
};

/// A file for ever: an inode number is recycled, one with its birth time is not.
struct FileIdentity {
    std::uint64_t device{}; ///< as stat(2) has it
    std::uint64_t inode{};
    std::int64_t born_ns{}; ///< since 1970; 0 where the file system does not know

    auto operator<=>(const FileIdentity&) const = default;
};

/// What is known about a process that holds something. Shared: a process with 20,000 sockets is one of these.
struct Process {
    ProcessIdentity id;
    std::uint32_t uid{};
    std::string comm;
    std::string exe;                   ///< empty when it could not be read
    std::string unit;                  ///< systemd unit, empty outside of any
    std::string container;             ///< container id, empty outside of any
    std::vector<std::string> around{}; ///< the other units it is in, slices too, outermost first
    bool known{true};                  ///< false when nothing but `id` could be found out

    bool operator==(const Process&) const = default;
};

using ProcessPtr = std::shared_ptr<const Process>;

/// A process and the descriptor by which it holds the resource; -1 where it does so without one.
struct Holder {
    ProcessPtr process;
    int fd{-1};

    bool operator==(const Holder&) const = default;
};

} // namespace egb
