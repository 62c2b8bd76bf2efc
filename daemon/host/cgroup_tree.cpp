// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup_tree.hpp"

#include "core/utf8.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <string>

namespace egb::host {

namespace {

/// Beside those of version 1, systemd has it in a folder of its own.
constexpr const char* alone = "/sys/fs/cgroup";
constexpr const char* beside_others = "/sys/fs/cgroup/unified";

std::string root() {
    struct statfs file_system{};
    const bool is_alone = ::statfs(alone, &file_system) == 0 && file_system.f_type == CGROUP2_SUPER_MAGIC;
    return is_alone ? alone : beside_others;
}

bool climbs(std::string_view path) {
    return std::ranges::any_of(path | std::views::split('/'), [](const auto part) {
        return std::string_view{part} == "..";
    });
}

} // namespace

Result<std::uint64_t> cgroup_id(std::string_view name) {
    std::uint64_t id{};
    const auto* const end = name.data() + name.size();
    if (const auto [stop, error] = std::from_chars(name.data(), end, id);
        error == std::errc{} && stop == end && id > 0) {
        return id;
    }
    if (!name.starts_with('/') || climbs(name) || name.contains('\0')) {
        return fail(ErrorCode::invalid,
                    "a control group is named by its path, such as /system.slice/ssh.service, or by its id");
    }
    struct stat status{};
    if (::stat((root() + std::string{name}).c_str(), &status) != 0) {
        return fail_errno("control group " + printable(name));
    }
    return status.st_ino;
}

} // namespace egb::host
