// SPDX-License-Identifier: Apache-2.0
// One request of a ring of our own: there may be no liburing.
#pragma once

#include <filesystem>

namespace egb::test {

/// With these flags of open(2), and of the request (IOSQE_ASYNC: a worker of the kernel does it). The
/// descriptor, or less than 0: the error.
[[nodiscard]] int open_by_io_uring(const std::filesystem::path& path, int flags, unsigned request_flags);

/// 0, or less: the error.
[[nodiscard]] int unlink_by_io_uring(const std::filesystem::path& path, unsigned request_flags);

} // namespace egb::test
