// SPDX-License-Identifier: Apache-2.0
// org.freedesktop.LogControl1, for `systemctl service-log-level eghostbuster.service debug`. Only root may
// write, which the bus policy sees to. Owned by the Bus, runs on the loop.
#pragma once

#include "bus/log_target.hpp"

#include <log_control_adaptor.hpp>
#include <sdbus-c++/sdbus-c++.h>

#include <string>

namespace egb::bus {

class LogControlObject final : public sdbus::AdaptorInterfaces<org::freedesktop::LogControl1_adaptor> {
public:
    LogControlObject(sdbus::IConnection& connection, bus::LogTarget& log);
    ~LogControlObject();
    LogControlObject(const LogControlObject&) = delete;
    LogControlObject& operator=(const LogControlObject&) = delete;

private:
    std::string LogLevel() override;
    void LogLevel(const std::string& value) override;
    std::string LogTarget() override;
    void LogTarget(const std::string& value) override;
    std::string SyslogIdentifier() override;

    bus::LogTarget& log_;
};

} // namespace egb::bus
