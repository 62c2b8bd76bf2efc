// SPDX-License-Identifier: Apache-2.0
// A message bus of our own. It ends with this object.
#pragma once

#include "harness/temp_folder.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace egb::test {

class BusDaemon {
public:
    /// With these options of dbus-daemon(1). Throws, with what it has said, when it does not start.
    explicit BusDaemon(const std::vector<std::string>& options);
    ~BusDaemon() { kill(); }
    BusDaemon(const BusDaemon&) = delete;
    BusDaemon& operator=(const BusDaemon&) = delete;

    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] pid_t pid() const { return pid_; }

    /// It goes away under everybody.
    void kill();

private:
    TempFolder folder_;
    std::string address_;
    pid_t pid_{};
};

} // namespace egb::test
