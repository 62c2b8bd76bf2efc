// SPDX-License-Identifier: Apache-2.0
#include "bus/log_control.hpp"

#include "core/result.hpp"

namespace egb::bus {

namespace {

/// The error that systemd's own services answer with.
void accept(const Result<>& result) {
    if (!result) {
        throw sdbus::Error{sdbus::Error::Name{"org.freedesktop.DBus.Error.InvalidArgs"},
                           result.error().message};
    }
}

} // namespace

LogControlObject::LogControlObject(sdbus::IConnection& connection, bus::LogTarget& log)
    : AdaptorInterfaces{connection, sdbus::ObjectPath{"/org/freedesktop/LogControl1"}}, log_{log} {
    registerAdaptor();
}

LogControlObject::~LogControlObject() {
    unregisterAdaptor();
}

std::string LogControlObject::LogLevel() {
    return log_.level();
}
void LogControlObject::LogLevel(const std::string& value) {
    accept(log_.set_level(value));
}
std::string LogControlObject::LogTarget() {
    return log_.target();
}
void LogControlObject::LogTarget(const std::string& value) {
    accept(log_.set_target(value));
}
std::string LogControlObject::SyslogIdentifier() {
    return log_.identifier();
}

} // namespace egb::bus
