// SPDX-License-Identifier: Apache-2.0
// The daemon's own log, as org.freedesktop.LogControl1 speaks of it. The bus turns the knobs, sinks has the
// log. Runs on the loop.
#pragma once

#include "core/result.hpp"

#include <string>
#include <string_view>

namespace egb::bus {

class LogTarget {
public:
    virtual ~LogTarget() = default;

    /// One of syslog's: emerg, alert, crit, err, warning, notice, info, debug.
    [[nodiscard]] virtual std::string level() const = 0;
    [[nodiscard]] virtual Result<> set_level(std::string_view level) = 0;

    /// One of systemd's: journal, console, null, auto...
    [[nodiscard]] virtual std::string target() const = 0;
    [[nodiscard]] virtual Result<> set_target(std::string_view target) = 0;

    /// What stands in SYSLOG_IDENTIFIER=.
    [[nodiscard]] virtual std::string identifier() const = 0;
};

} // namespace egb::bus
