// SPDX-License-Identifier: Apache-2.0
// The section [process] of the configuration.
#pragma once

#include "core/option.hpp"

#include <array>
#include <string_view>

namespace egb::process {

inline constexpr std::array<std::string_view, 2> parent_unit_choices{"no", "restart"};

inline constexpr std::array options{
    OptionSpec{
        .name = "ZombieAfter",
        .type = OptionType::span,
        .preset = "1min",
        .help = "A process that has died, and that its parent has not waited for in this time, is a zombie "
                "worth telling of. All those of one parent are one ghost.",
        .least = 1,
    },
    OptionSpec{
        .name = "Nudge",
        .type = OptionType::flag,
        .preset = "yes",
        .help = "Tell the parent again, by SIGCHLD, that children of its have died: one that has merely "
                "missed the signal waits for them then, one that does not handle it does not notice. Needs "
                "Clean=proven or suspected.",
    },
    OptionSpec{
        .name = "ParentUnit",
        .type = OptionType::choice,
        .preset = "no",
        .help = "What systemd is asked to do to a service whose main process does not wait for its children "
                "although it was told again, once they use up the pids that it may have. Needs Clean=proven "
                "or suspected, and a polkit rule (eghostbusterd(8)).",
        .choices = parent_unit_choices,
    },
    OptionSpec{
        .name = "ParentUnitWithin",
        .type = OptionType::span,
        .preset = "10min",
        .help = "How near that end must be, by how the number of zombies has grown.",
    },
    OptionSpec{
        .name = "ParentUnitEvery",
        .type = OptionType::span,
        .preset = "1h",
        .help = "How long the parent must have run, and how long ago its unit must have been seen to.",
    },
};

} // namespace egb::process
