// SPDX-License-Identifier: Apache-2.0
#include "notifier.hpp"

#include "core/format.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>

namespace egb {

namespace {

void tell(const std::string& state) {
    // Who does not hear it has no other way of being told.
    static_cast<void>(::sd_notify(0, state.c_str()));
}

/// A line break would begin another assignment.
std::string one_line(std::string_view text) {
    std::string line{text};
    std::ranges::replace(line, '\n', ' ');
    return line;
}

} // namespace

void Notifier::ready(std::string_view status) {
    status_ = one_line(status);
    tell(formatted("READY=1\nSTATUS={}", status_));
}

void Notifier::reloading(Instant now) {
    const auto usec = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    tell(formatted("RELOADING=1\nMONOTONIC_USEC={}", usec.count()));
}

void Notifier::stopping() {
    tell("STOPPING=1");
}

void Notifier::status(std::string_view text) {
    if (auto line = one_line(text); line != status_) {
        status_ = std::move(line);
        tell(formatted("STATUS={}", status_));
    }
}

} // namespace egb
