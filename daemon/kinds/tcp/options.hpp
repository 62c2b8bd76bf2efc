// SPDX-License-Identifier: Apache-2.0
// The section [tcp] of the configuration.
#pragma once

#include "core/option.hpp"
#include "kinds/tcp/scope.hpp"

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
};

} // namespace egb::tcp
