// SPDX-License-Identifier: Apache-2.0
// A bus of our own with the rules of a system bus: default deny, and the policy file that is installed. It
// listens for every user, and ends with this object.
#pragma once

#include "harness/temp_folder.hpp"
#include "host/fd.hpp"

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
    PrivateBus();
    ~PrivateBus();
    PrivateBus(const PrivateBus&) = delete;
    PrivateBus& operator=(const PrivateBus&) = delete;

    [[nodiscard]] const std::string& address() const { return address_; }

    /// A connection that the bus holds to be of this user. Must be called by root.
    [[nodiscard]] sd_bus* connect(uid_t uid) const;

    /// The bus goes away under everybody.
    void kill();

private:
    TempFolder folder_;
    std::string address_;
    pid_t daemon_{};
};

} // namespace egb::test
