// SPDX-License-Identifier: Apache-2.0
// A process, held so that its pid cannot become another's.
#pragma once

#include "core/identity.hpp"
#include "core/result.hpp"
#include "host/fd.hpp"
#include "host/procfs.hpp"

namespace egb::host {

/// A descriptor of exactly this process. `changed` when the pid is another process's by now, `unsupported`
/// when it is of another pid namespace.
[[nodiscard]] Result<Fd> pidfd_of(const ProcFs& procfs, const ProcessIdentity& process);

/// What pidfd_getfd(2) gives: a copy of the descriptor of that process; invalid and errno when it gives none.
[[nodiscard]] Fd copy_of_descriptor(const Fd& pidfd, int fd);

} // namespace egb::host
