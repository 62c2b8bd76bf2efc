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
    OptionSpec{
        .name = "Nudge",
        .type = OptionType::flag,
        .preset = "yes",
        .help = "Ask the peer of a suspected socket whether it still knows of the connection, by a keepalive "
                "probe. "
                "One that is gone resets the connection, or never answers, and then the kernel ends it; one "
                "that is "
                "alive does not notice, and the socket gets its own options back. Needs Clean=proven or "
                "suspected.",
    },
    OptionSpec{
        .name = "NudgeInterval",
        .type = OptionType::span,
        .preset = "30s",
        .help = "How far apart the probes are, after a first one that is sent at once.",
        .least = 1,
        .most = 3600,
    },
    OptionSpec{
        .name = "NudgeProbes",
        .type = OptionType::count,
        .preset = "10",
        .help =
            "How many probes must stay without an answer before the kernel takes the peer for gone. With a "
            "network "
            "that is down for longer than all of them take, a peer that is alive would be taken for gone.",
        .least = 1,
        .most = 127,
    },
    OptionSpec{
        .name = "Destroy",
        .type = OptionType::flag,
        .preset = "yes",
        .help = "End a socket whose peer is proven to be gone, and with Clean=suspected any that is overdue. "
                "Without "
                "it, the nudge is the strongest that is done. The application keeps its descriptor either "
                "way, and "
                "reads an error from it.",
    },
};

} // namespace egb::tcp
