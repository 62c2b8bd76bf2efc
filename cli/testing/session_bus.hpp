// SPDX-License-Identifier: Apache-2.0
// A message bus of our own, on which everybody may do everything, for as long as the object lives.
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

namespace egb::test {

class SessionBus {
public:
    /// Throws when dbus-daemon does not start.
    SessionBus();
    ~SessionBus();
    SessionBus(const SessionBus&) = delete;
    SessionBus& operator=(const SessionBus&) = delete;

    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    std::filesystem::path folder_;
    pid_t pid_{-1};
    std::string address_;
};

} // namespace egb::test
