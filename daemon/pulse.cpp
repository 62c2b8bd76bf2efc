// SPDX-License-Identifier: Apache-2.0
#include "pulse.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>

namespace egb {

bool has_events(int fd) {
    pollfd waiter{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&waiter, 1, 0) == 1;
}

bool Pulse::beat(std::string_view name, Signs signs, const std::function<Result<>()>& provoke) {
    // A full ring has no room for a canary; but then there is plenty else to hear.
    const bool drowned = signs.lost != last_.lost && heard_;
    const bool alive = !awaited_ || signs.canaries != last_.canaries || drowned;
    if (!alive) {
        spdlog::critical("{}: no event comes back from the kernel; the watchdog is not fed", name);
    }
    const auto provoked = provoke();
    const bool full = !provoked && provoked.error().code == ErrorCode::busy;
    if (!provoked && !full && provoked.error().code != ErrorCode::unsupported) {
        spdlog::critical("{}: the kernel cannot be asked for an event: {}; the watchdog is not fed", name,
                         provoked.error().message);
        return false;
    }
    awaited_ = provoked.has_value();
    last_ = signs;
    heard_ = false;
    return alive;
}

} // namespace egb
