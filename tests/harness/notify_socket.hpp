// SPDX-License-Identifier: Apache-2.0
// The service manager's end of NOTIFY_SOCKET, which is in the environment for as long as this lives.
#pragma once

#include "harness/temp_folder.hpp"
#include "host/fd.hpp"

#include <optional>
#include <string>
#include <vector>

namespace egb::test {

struct Notification {
    std::string text;
    std::vector<host::Fd> fds;
};

class NotifySocket {
public:
    NotifySocket();
    ~NotifySocket();
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    /// Everything that was sent until now; datagrams of a Unix socket are not under way for any time.
    [[nodiscard]] std::vector<Notification> received() const;

private:
    [[nodiscard]] std::optional<Notification> receive() const;

    TempFolder folder_;
    host::Fd socket_;
};

[[nodiscard]] std::vector<std::string> texts(const std::vector<Notification>& notifications);

} // namespace egb::test
