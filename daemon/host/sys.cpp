// SPDX-License-Identifier: Apache-2.0
#include "host/sys.hpp"

#include "core/format.hpp"
#include "host/fd.hpp"
#include "host/pidfd.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

namespace egb::host {

namespace {

// <sys/pidfd.h> of glibc 2.41 cannot be linked from C++.
long pidfd_send_signal(int pidfd, int signal) {
    return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

} // namespace

Result<> RealSys::signal_process(const ProcessIdentity& process, int signal) {
    if (process.pid <= 0 || signal <= 0 || signal > SIGRTMAX) {
        return fail(ErrorCode::invalid, "signal {} to process {}: no such thing", signal, process.pid);
    }
    return pidfd_of(procfs_, process).and_then([&](const Fd& pidfd) {
        return deliver(pidfd.get(), signal);
    });
}

std::vector<Result<>> RealSys::nudge_sockets(std::span<const SocketTarget> targets,
                                             const NudgeTiming& timing) {
    return sockets_.nudge(targets, timing, earnest());
}

std::vector<Result<PeerAnswer>> RealSys::answers_of_sockets(std::span<const SocketTarget> targets,
                                                            Release release) {
    return sockets_.answers(targets, release);
}

Result<std::vector<SocketTarget>> RealSys::nudged_sockets() {
    return sockets_.nudged();
}

std::vector<Result<>> RealSys::destroy_sockets(std::span<const SocketTarget> targets) {
    return sockets_.destroy(targets, earnest());
}

Result<> RealSys::deliver(int pidfd, int signal) {
    if (pidfd_send_signal(pidfd, signal) != 0) {
        return fail_errno(formatted("signal {}", signal));
    }
    return {};
}

/// Signal 0 is all of a delivery, the check of our rights included, but the signal.
Result<> DrySys::deliver(int pidfd, int /*signal*/) {
    return RealSys::deliver(pidfd, 0);
}

} // namespace egb::host
