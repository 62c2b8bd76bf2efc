// SPDX-License-Identifier: Apache-2.0
#include "host/pidfd.hpp"

#include "core/format.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace egb::host {

// <sys/pidfd.h> of glibc 2.41 cannot be linked from C++.

Result<Fd> pidfd_of(const ProcFs& procfs, const ProcessIdentity& process) {
    const auto ours = procfs.our_pid_of(process.pid);
    if (!ours) {
        return std::unexpected(ours.error());
    }
    Fd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, *ours, 0))};
    if (!pidfd) {
        return fail_errno(formatted("process {}", process.pid));
    }
    // From here on, either the pid is that of the process behind the descriptor, or what is done by it
    // reaches nobody.
    const auto now = procfs.identity(process.pid);
    if (!now) {
        return std::unexpected(now.error());
    }
    if (*now != process) {
        return fail(ErrorCode::changed, "process {} has ended, and its pid belongs to another one",
                    process.pid);
    }
    return pidfd;
}

Fd copy_of_descriptor(const Fd& pidfd, int fd) {
    return Fd{static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd.get(), fd, 0))};
}

} // namespace egb::host
