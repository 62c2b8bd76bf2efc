// SPDX-License-Identifier: Apache-2.0
// What the service manager is told (sd_notify(3)). Without one, all of it goes nowhere.
// The watchdog is not fed here but in loop/. Owned by the daemon, runs on its loop.
#pragma once

#include "core/clock.hpp"

#include <string>
#include <string_view>

namespace egb {

class Notifier {
public:
    /// The end of a start and of a reload, successful or not.
    void ready(std::string_view status);

    /// The beginning of a reload. `now` tells the service manager that it is the one it asked for.
    void reloading(Instant now);

    void stopping();

    /// Nothing is sent while the text stays the same.
    void status(std::string_view text);

private:
    std::string status_;
};

} // namespace egb
