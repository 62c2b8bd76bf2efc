// SPDX-License-Identifier: Apache-2.0
// The last resort: to have systemd reload or restart the unit of a process. A name is not enough, for every
// systemd of this machine may have a unit of that name: ours is asked whose the process is, by pidfd.
#pragma once

#include "core/clock.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/procfs.hpp"
#include "host/socket_target.hpp"

#include <cstdint>
#include <string>

namespace egb::host {

enum class UnitAct : std::uint8_t { reload, restart };

struct UnitTarget {
    std::string unit;
    ProcessIdentity process; ///< one of its processes, for which it is done
    Span least_age{};        ///< that must have run for so long: nothing is restarted over and over
};

/// Asks systemd for a job and does not wait for its end: what comes of it is seen in the process. `changed`
/// when the process is no longer that unit's, `busy` when it is too young, `denied` when polkit says no,
/// `unsupported` when it is another systemd's.
[[nodiscard]] Result<> ask_unit(const ProcFs& procfs, const UnitTarget& target, UnitAct act, Earnest earnest);

} // namespace egb::host
