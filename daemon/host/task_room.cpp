// SPDX-License-Identifier: Apache-2.0
#include "host/task_room.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

namespace egb::host {

namespace {

/// Nothing for "max", too.
std::optional<std::uint64_t> number_in(const std::filesystem::path& file) {
    std::ifstream stream{file};
    std::uint64_t value = 0;
    return stream >> value ? std::optional{value} : std::nullopt;
}

std::uint64_t left(const TaskRoom& room) {
    return room.limit - std::min(room.used, room.limit);
}

} // namespace

Result<TaskRoom> task_room_of(const ProcFs& procfs, std::int32_t pid, const std::filesystem::path& cgroups) {
    auto tightest = procfs.task_room();
    const auto group = procfs.cgroup(pid);
    if (!tightest || !group || group->contains("/..")) {
        return tightest;
    }
    auto folder = std::filesystem::path{*group}.relative_path();
    for (; !folder.empty(); folder = folder.parent_path()) {
        const auto used = number_in(cgroups / folder / "pids.current");
        const auto limit = number_in(cgroups / folder / "pids.max");
        if (const TaskRoom room{.used = used.value_or(0), .limit = limit.value_or(UINT64_MAX)};
            used && limit && left(room) < left(*tightest)) {
            tightest = room;
        }
    }
    return tightest;
}

/// The kernel tells of the innermost what holds for all around it.
bool is_frozen(const ProcFs& procfs, std::int32_t pid, const std::filesystem::path& cgroups) {
    const auto group = procfs.cgroup(pid);
    if (!group || group->contains("/..")) {
        return false;
    }
    std::ifstream events{cgroups / std::filesystem::path{*group}.relative_path() / "cgroup.events"};
    for (std::string line; std::getline(events, line);) {
        if (line == "frozen 1") {
            return true;
        }
    }
    return false;
}

} // namespace egb::host
