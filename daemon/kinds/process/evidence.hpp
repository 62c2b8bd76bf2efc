// SPDX-License-Identifier: Apache-2.0
// What can be found out about a parent that does not wait. README.md has the reasoning.
#pragma once

#include "core/evidence.hpp"

#include <array>

namespace egb::process {

inline constexpr EvidenceRule zombies{
    .name = "zombies",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "{} of its children have died, and it has not waited for them",
    .change = "",
};
inline constexpr EvidenceRule oldest{
    .name = "oldest",
    .weight = Weight::supports,
    .unit = EvidenceUnit::since,
    .text = "the first of them died {} ago",
    .change = "",
};
inline constexpr EvidenceRule told_again{
    .name = "told-again",
    .weight = Weight::supports,
    .unit = EvidenceUnit::since,
    .text = "it was told again by SIGCHLD {} ago, and still does not wait for them",
    .change = "",
};
inline constexpr EvidenceRule container_init{
    .name = "container-init",
    .weight = Weight::supports,
    .unit = EvidenceUnit::none,
    .text = "it is PID 1 of a container, which inherits all orphans there and has to wait for each of them",
    .change = "a container that is run with an init (docker run --init, podman run --init)",
};
inline constexpr EvidenceRule growth{
    .name = "growth",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "there are {} more of them each minute",
    .change = "",
};
inline constexpr EvidenceRule tasks_used{
    .name = "tasks-used",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "{} tasks are there where it is limited (pids.max of its control group, or pid_max)",
    .change = "",
};
inline constexpr EvidenceRule task_limit{
    .name = "task-limit",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "{} may be there at most",
    .change = "",
};
inline constexpr EvidenceRule exhaustion{
    .name = "exhaustion",
    .weight = Weight::supports,
    .unit = EvidenceUnit::span,
    .text = "as their number grows, nothing more can be started there in {}",
    .change = "",
};
inline constexpr EvidenceRule may_wait_later{
    .name = "may-wait-later",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it may have missed the signal, or mean to wait for them later",
    .change = "a parent that is told again and still does not wait",
};
inline constexpr EvidenceRule stopped{
    .name = "stopped",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it is stopped by a signal or a debugger, frozen, or held up in the kernel, and cannot wait for "
            "anybody now",
    .change = "a parent that goes on",
};
inline constexpr EvidenceRule traced{
    .name = "traced",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::count,
    .text = "{} of them are traced, so that it is for the tracer to wait first",
    .change = "",
};
inline constexpr EvidenceRule dead_before{
    .name = "dead-before",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::count,
    .text = "{} of them had died before we looked, so since when is only known to be at least that",
    .change = "",
};
inline constexpr EvidenceRule out_of_reach{
    .name = "out-of-reach",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it lives where we cannot send it a signal: it cannot be asked",
    .change = "",
};

inline constexpr std::array evidence_rules{zombies,    oldest,      told_again,  container_init, growth,
                                           tasks_used, task_limit,  exhaustion,  may_wait_later, stopped,
                                           traced,     dead_before, out_of_reach};

} // namespace egb::process
