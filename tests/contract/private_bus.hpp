// SPDX-License-Identifier: Apache-2.0
// A bus of our own with the rules of a system bus: default deny, and the policy file that is installed. It
// listens for every user, and ends with this object.
#pragma once

#include "harness/bus_daemon.hpp"
#include "harness/temp_folder.hpp"

#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>

#include <sys/types.h>

#include <memory>
#include <string>

namespace egb::test {

/// Users that every system has; the bus does not serve strangers.
inline constexpr uid_t nobody = 65534;
inline constexpr uid_t user_daemon = 1;

class PrivateBus {
public:
    [[nodiscard]] const std::string& address() const { return daemon_.address(); }

    /// A connection that the bus holds to be of this user. Must be called by root.
    [[nodiscard]] sd_bus* connect(uid_t uid) const;

    /// The bus goes away under everybody.
    void kill() { daemon_.kill(); }

private:
    /// The option that names it.
    [[nodiscard]] static std::string configuration_in(const TempFolder& folder);

    TempFolder folder_;
    BusDaemon daemon_{{configuration_in(folder_)}};
};

} // namespace egb::test
