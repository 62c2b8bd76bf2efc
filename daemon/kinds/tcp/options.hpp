// SPDX-License-Identifier: Apache-2.0
// The section [tcp] of the configuration.
#pragma once

#include "core/option.hpp"

#include <array>

namespace egb::tcp {

inline constexpr std::array options{
    OptionSpec{
        .name = "CloseWaitAfter",
        .type = OptionType::span,
        .preset = "1min",
        .help = "A socket in CLOSE_WAIT (the peer has closed, the application has not) is suspected when it "
                "was in that state and nothing moved for this long. 0 leaves the state alone.",
    },
    OptionSpec{
        .name = "FinWait2After",
        .type = OptionType::span,
        .preset = "5min",
        .help =
            "The same for FIN_WAIT2 (the application has shut its sending half, the peer has not) while a "
            "process holds the socket. Such sockets are only ever reported. 0 leaves the state alone.",
    },
    OptionSpec{
        .name = "LastAckAfter",
        .type = OptionType::span,
        .preset = "5min",
        .help = "The same for LAST_ACK (both have closed, the peer's last acknowledgement is missing). Such "
                "sockets are only ever reported. 0 leaves the state alone.",
    },
};

} // namespace egb::tcp
