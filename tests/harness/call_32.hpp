// SPDX-License-Identifier: Apache-2.0
// A system call as a 32-bit program makes it: there may be no compiler for one.
#pragma once

#include <filesystem>

namespace egb::test {

/// Those of the 32-bit numbers that a file is made, emptied or removed by.
enum class Call32 : int { creat = 8, unlink = 10, mkdir = 39 };

/// What the call returns: less than 0 is the error, -ENOSYS that this kernel takes no such calls.
[[nodiscard]] int call_by_32_bits(Call32 call, const std::filesystem::path& path);

} // namespace egb::test
