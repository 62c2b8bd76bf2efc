// SPDX-License-Identifier: Apache-2.0
// All the harm this project can do, in one interface. A cleaner has no other hands.
//   RealSys  does it.
//   DrySys   checks everything that RealSys checks and stops right before the harm (`--dry-run`).
//   FakeSys  (tests/harness) writes down what it was asked.
// It grows by one method per kind of harm, each of which takes an identity that the kernel cannot recycle and
// checks it itself.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/procfs.hpp"

namespace egb::host {

class Sys {
public:
    virtual ~Sys() = default;

    /// Sends a signal to exactly this process: through a pidfd, opened before its identity is checked.
    /// `changed` when the pid is another process's by now, `unsupported` when it is of another pid namespace.
    [[nodiscard]] virtual Result<> signal_process(const ProcessIdentity& process, int signal) = 0;
};

class RealSys : public Sys {
public:
    explicit RealSys(const ProcFs& procfs) : procfs_{procfs} {}

    [[nodiscard]] Result<> signal_process(const ProcessIdentity& process, int signal) override;

protected:
    /// The one step that cannot be taken back; DrySys takes its place.
    [[nodiscard]] virtual Result<> deliver(int pidfd, int signal);

private:
    const ProcFs& procfs_;
};

class DrySys final : public RealSys {
public:
    using RealSys::RealSys;

protected:
    [[nodiscard]] Result<> deliver(int pidfd, int signal) override;
};

} // namespace egb::host
