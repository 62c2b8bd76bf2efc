// SPDX-License-Identifier: Apache-2.0
// What a lock says of its owner, by what is written into it. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace egb::lockfile {

/// The numbers in the first line (or in where a link points to) that can be pids: "1234", "host-1234",
/// "1234 host", "user@host.1234:1699999999".
[[nodiscard]] std::vector<std::int32_t> pids_in(std::string_view content);

/// Whether one of them is that, and means a process. Of small numbers, which most pids of a container are,
/// many files have some: such a one has to be all there is in the line, but for "host-" before it.
[[nodiscard]] bool names_pid(std::string_view content, std::int32_t pid);

} // namespace egb::lockfile
