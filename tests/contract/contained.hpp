// SPDX-License-Identifier: Apache-2.0
// A program in a container: PID 1 of a pid namespace, in a mount namespace with a tmpfs that nobody else has.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>

namespace egb::test {

struct Contained {
    pid_t pid{}; ///< as it is known outside
    std::string answer;
};

/// `work` runs there, where `where` is the tmpfs; what it throws is the answer, too. The container ends with
/// it.
[[nodiscard]] Contained in_container(const std::filesystem::path& where,
                                     const std::function<std::string()>& work);

} // namespace egb::test
