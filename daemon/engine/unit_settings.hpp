// SPDX-License-Identifier: Apache-2.0
// What a systemd unit wishes for itself. The engine asks; who reads unit files is not its business.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace egb::engine {

/// Asked on the loop, for each holder of each ghost that might be acted upon: an answer must come at once.
class UnitSettings {
public:
    virtual ~UnitSettings() = default;

    /// Why nothing may be done to what this unit holds, as a clause: `its unit nginx.service says "Clean=no"
    /// in ...`. Nothing when the unit has no such wish. What cannot be found out is a wish.
    [[nodiscard]] virtual std::optional<std::string> why_left_alone(std::string_view unit) = 0;
};

} // namespace egb::engine
