// SPDX-License-Identifier: Apache-2.0
// Brings files back out of the quarantine, by what is kept of them: the kind that gave them there, and the
// run of the daemon in which it did, are not needed. Owned by the daemon, runs on its loop.
#pragma once

#include "core/quarantine.hpp"
#include "host/sys.hpp"

#include <string>
#include <vector>

namespace egb {

class Restorer {
public:
    Restorer(host::Sys& sys, Quarantine& quarantine) : sys_{sys}, quarantine_{quarantine} {}

    /// Says where it is now. `not_found` when nothing of this ghost is in quarantine.
    [[nodiscard]] Result<std::string> restore(GhostId ghost);

    /// Puts right what a crash has left half way; a sentence for the log for each file that was found so.
    [[nodiscard]] std::vector<std::string> recover();

private:
    [[nodiscard]] Result<host::Whereabouts> recover(const Ward& ward);
    [[nodiscard]] Result<std::string> make_again(const Ward& ward);

    host::Sys& sys_;
    Quarantine& quarantine_;
};

} // namespace egb
