// SPDX-License-Identifier: Apache-2.0
// The section [tcp] of the configuration.
#pragma once

#include "core/option.hpp"
#include "kinds/tcp/scope.hpp"

#include <array>
#include <string_view>

namespace egb::tcp {

inline constexpr std::array<std::string_view, 3> leak_unit_choices{"no", "reload", "restart"};

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
        .name = "Only",
        .type = OptionType::list,
        .preset = "",
        .help = "Which sockets may be acted upon, in words such as port:8080, port:8000-8999, "
                "local-port:80, remote-port:443, local:10.0.0.0/8, remote:fe80::/10, unit:shop-*.service, "
                "container:4f1a, uid:1000-1999, exe:/opt/* or comm:java. One word that is true of the "
                "socket, or one for each process that holds it, is enough; no word at all means every "
                "socket. What is out of bounds is still reported, and never acted upon.",
        .check = &Scope::check,
    },
    OptionSpec{
        .name = "Except",
        .type = OptionType::list,
        .preset = "",
        .help = "Which sockets are never acted upon, whatever Only= says, in the same words. One that is "
                "true of the socket, or of any process that holds it, is enough.",
        .check = &Scope::check,
    },
    OptionSpec{
        .name = "LeakAfter",
        .type = OptionType::count,
        .preset = "20",
        .help = "A process that holds this many overdue sockets in CLOSE_WAIT is told of as one ghost that "
                "stands for them all, with how fast they grow and when its descriptors run out. They are "
                "then only listed when asked for; what is done to each does not change. 0 tells of each "
                "socket by itself.",
    },
    OptionSpec{
        .name = "LeakUnit",
        .type = OptionType::choice,
        .preset = "no",
        .help =
            "What systemd is asked to do to a service whose main process runs out of descriptors, at least "
            "half of which are sockets that it has forgotten: ended sockets do not give them back. Needs "
            "Clean=proven or suspected, and a polkit rule (eghostbusterd(8)).",
        .choices = leak_unit_choices,
    },
    OptionSpec{
        .name = "LeakUnitWithin",
        .type = OptionType::span,
        .preset = "10min",
        .help = "How near that end must be, by how the number of open descriptors has grown.",
    },
    OptionSpec{
        .name = "LeakUnitEvery",
        .type = OptionType::span,
        .preset = "1h",
        .help = "How long the process must have run, and how long ago its unit must have been seen to.",
    },
    OptionSpec{
        .name = "Nudge",
        .type = OptionType::flag,
        .preset = "yes",
        .help = "Ask the peer of a suspected socket, by a keepalive probe, whether it still knows of the "
                "connection. "
                "One that is gone resets it, and then the kernel ends the socket; one that is alive does not "
                "notice, "
                "and the socket gets its own options back. Needs Clean=proven or suspected.",
    },
    OptionSpec{
        .name = "NudgeInterval",
        .type = OptionType::span,
        .preset = "1min",
        .help = "How far apart the probes are, after a first one that is sent at once.",
        .least = 1,
        .most = 3600,
    },
    OptionSpec{
        .name = "NudgeProbes",
        .type = OptionType::count,
        .preset = "120",
        .help = "How many probes must stay without an answer before the kernel takes the peer for gone. A "
                "peer that "
                "is alive would be, too, behind a network that is down for longer than all of them take.",
        .least = 1,
        .most = 127,
    },
    OptionSpec{
        .name = "Destroy",
        .type = OptionType::flag,
        .preset = "yes",
        .help =
            "End a socket whose peer is proven to be gone, and with Clean=suspected any that is overdue. "
            "Without "
            "it, the nudge is the strongest that is done. The application keeps its descriptor either way, "
            "and reads an error from it.",
    },
};

} // namespace egb::tcp
