// SPDX-License-Identifier: Apache-2.0
// The last resort: to have systemd reload or restart the unit of a process. A name is not enough, for every
// systemd of this machine may have a unit of that name: ours is asked whose main process it is, by pidfd.
// What somebody has merely started within a unit (cron, a CGI) does not speak for it. Used on the loop, which
// waits.
#pragma once

#include "core/clock.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/procfs.hpp"
#include "host/socket_target.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace egb::host {

enum class UnitAct : std::uint8_t { reload, restart };

struct UnitTarget {
    std::string unit;
    ProcessIdentity process; ///< its main process, for which it is done
    Span every{};            ///< so long it must have run, and so long ago its unit must have been seen to
};

class UnitActs {
public:
    explicit UnitActs(const ProcFs& procfs) : procfs_{procfs} {}

    /// Asks systemd for a job and does not wait for its end: what comes of it is seen in the process.
    /// `changed` when it is not the main process of that unit, `busy` when something was done to it of late,
    /// `denied` when polkit says no, `unsupported` when it is another systemd's.
    [[nodiscard]] Result<> ask(const UnitTarget& target, UnitAct act, Earnest earnest);

private:
    const ProcFs& procfs_;
    std::map<std::string, Span, std::less<>> asked_; ///< by unit: when, by the clock that counts sleep
};

} // namespace egb::host
