// SPDX-License-Identifier: Apache-2.0
// What can be found out about a waiting socket. README.md has the reasoning.
#pragma once

#include "core/evidence.hpp"

#include <array>

namespace egb::tcp {

inline constexpr EvidenceRule state_age{
    .name = "state-age",
    .weight = Weight::supports,
    .unit = EvidenceUnit::since,
    .text = "it has been in this state for {}",
    .change = "",
};
inline constexpr EvidenceRule quiet{
    .name = "quiet",
    .weight = Weight::supports,
    .unit = EvidenceUnit::since,
    .text = "no byte was sent, acknowledged, received or read for {}",
    .change = "any byte that moves starts the clock again",
};
inline constexpr EvidenceRule unread{
    .name = "unread",
    .weight = Weight::supports,
    .unit = EvidenceUnit::bytes,
    .text = "{} have arrived that its application does not read",
    .change = "",
};
inline constexpr EvidenceRule half_close{
    .name = "half-close",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "the peer has only shut its sending half, which is legal: it may be waiting for an answer",
    .change = "proof that the peer is gone, of which the kernel may tell when it is asked",
};
inline constexpr EvidenceRule half_closed_here{
    .name = "half-closed-here",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "its application has shut the sending half, which is legal: it may be waiting for an answer",
    .change = "proof that the peer is gone",
};
inline constexpr EvidenceRule peer_closed{
    .name = "peer-closed",
    .weight = Weight::supports,
    .unit = EvidenceUnit::none,
    .text =
        "the peer is on this machine, and its process has closed its end for good: nobody is left to read",
    .change = "",
};
inline constexpr EvidenceRule peer_alive{
    .name = "peer-alive",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::since,
    .text =
        "its peer was asked, and answered {} ago; one that has only just closed does so for a minute, too",
    .change = "a peer that does not answer when it is asked again",
};
inline constexpr EvidenceRule out_of_bounds{
    .name = "out-of-bounds",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it is not among those that Only= and Except= leave us to act upon",
    .change = "another Only= or Except= in the section [tcp]",
};
inline constexpr EvidenceRule unsent{
    .name = "unsent",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::bytes,
    .text = "{} are still on their way to the peer, who may be slow or pausing",
    .change = "",
};
inline constexpr EvidenceRule kernel_timer{
    .name = "kernel-timer",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "no process holds it any more, and the kernel's own timers will end it",
    .change = "",
};
inline constexpr EvidenceRule older_than_us{
    .name = "older-than-us",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it was in this state before it was observed, so its age is only known to be at least that",
    .change = "",
};
inline constexpr EvidenceRule no_holder{
    .name = "no-holder",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text =
        "no process has a descriptor for it: it waits to be accepted, is on its way between processes, or is "
        "the kernel's own",
    .change = "a process that accepts or receives it",
};
inline constexpr EvidenceRule unknown_holder{
    .name = "unknown-holder",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "who holds it cannot be found out on this kernel",
    .change = "",
};

inline constexpr EvidenceRule leak_size{
    .name = "leak-size",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "{} of its sockets are stuck in CLOSE_WAIT",
    .change = "fewer than half of LeakAfter that are left",
};
inline constexpr EvidenceRule leak_ended{
    .name = "leak-ended",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "{} that were stuck have been ended within 10 minutes, and their descriptors stay with it",
    .change = "",
};
inline constexpr EvidenceRule leak_growth{
    .name = "leak-growth",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "it forgets {} more of them a minute",
    .change = "",
};
inline constexpr EvidenceRule descriptors{
    .name = "descriptors",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "it has {} descriptors open",
    .change = "",
};
inline constexpr EvidenceRule descriptor_limit{
    .name = "descriptor-limit",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "it may have {} at most (RLIMIT_NOFILE)",
    .change = "",
};
inline constexpr EvidenceRule exhaustion{
    .name = "exhaustion",
    .weight = Weight::supports,
    .unit = EvidenceUnit::span,
    .text = "as the number of its descriptors grows, it can open nothing more in {} (EMFILE)",
    .change = "",
};

inline constexpr std::array evidence_rules{
    state_age,      quiet,         unread,      half_close,   half_closed_here, peer_closed,
    peer_alive,     out_of_bounds, unsent,      kernel_timer, older_than_us,    no_holder,
    unknown_holder, leak_size,     leak_growth, descriptors,  descriptor_limit, exhaustion};

} // namespace egb::tcp
