// SPDX-License-Identifier: Apache-2.0
// /proc, the only way into it. The root is a parameter: in the appliance it is the host's /proc, whose pids are
// those that the kernel side reports; in tests it is a made-up tree.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace egb::host {

/// Which unit and which container a cgroup path names.
struct CgroupNames {
    std::string unit;
    std::string container;

    bool operator==(const CgroupNames&) const = default;
};

/// Reads them out of a path such as /system.slice/docker-<64 hex>.scope.
[[nodiscard]] CgroupNames names_of_cgroup(std::string_view path);

/// A network namespace, by inode, and a descriptor to enter it.
struct NetNamespace {
    std::uint64_t inode{};
    Fd fd;
};

class ProcFs {
public:
    /// Opens the tree; throws std::system_error when it is not there.
    explicit ProcFs(const std::filesystem::path& root);

    /// The host's /proc where the appliance has it bound, else our own.
    [[nodiscard]] static std::filesystem::path default_root();

    [[nodiscard]] const std::string& boot_id() const { return boot_id_; }

    /// Everything about one process; not_found when it is gone, even half way.
    [[nodiscard]] Result<Process> process(std::int32_t pid) const;

    /// Only its identity, for a second look.
    [[nodiscard]] Result<ProcessIdentity> identity(std::int32_t pid) const;

    [[nodiscard]] std::vector<std::int32_t> pids() const;

    /// Each network namespace in which some process lives, once.
    [[nodiscard]] std::vector<NetNamespace> net_namespaces() const;

private:
    [[nodiscard]] Result<std::string> read(const std::string& relative) const;
    [[nodiscard]] Result<std::string> read_link(const std::string& relative) const;

    Fd root_;
    std::string boot_id_;
};

} // namespace egb::host
