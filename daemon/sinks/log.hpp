// SPDX-License-Identifier: Apache-2.0
// The daemon's own log: where it goes and how much of it, to be changed while it runs. Incidents do not go
// this way, journal_sink.hpp has them. One per process: it is spdlog's default logger for as long as it
// lives.
#pragma once

#include "bus/log_target.hpp"

#include <string>
#include <string_view>

namespace egb::sinks {

class Log final : public bus::LogTarget {
public:
    /// At level info, and where the service manager or the terminal reads it.
    explicit Log(std::string identifier);
    ~Log() override;
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    [[nodiscard]] std::string level() const override { return level_; }
    [[nodiscard]] Result<> set_level(std::string_view level) override;

    /// auto: journal when stderr is a stream to it, else console.
    [[nodiscard]] std::string target() const override { return target_; }
    [[nodiscard]] Result<> set_target(std::string_view target) override;

    [[nodiscard]] std::string identifier() const override { return identifier_; }

private:
    std::string identifier_;
    std::string level_;
    std::string target_;
};

} // namespace egb::sinks
