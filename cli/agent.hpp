// SPDX-License-Identifier: Apache-2.0
// The one who asks for a password when polkit wants one and the session has nobody for that.
#pragma once

#include <sys/types.h>

namespace egb::cli {

/// Runs pkttyagent(1) for this process for as long as it lives. Where there is none, nothing is asked, and
/// the daemon's "not authorised" is the answer.
class PasswordAgent {
public:
    /// Returns when the agent is registered, or will not be.
    PasswordAgent();
    ~PasswordAgent();
    PasswordAgent(const PasswordAgent&) = delete;
    PasswordAgent& operator=(const PasswordAgent&) = delete;

private:
    pid_t pid_{-1};
};

} // namespace egb::cli
