// SPDX-License-Identifier: Apache-2.0
#include "engine/policy.hpp"

#include "core/format.hpp"
#include "core/option.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace egb::engine {

namespace {

constexpr std::array<std::string_view, 3> clean_choices{"never", "proven", "suspected"};

constexpr auto options = std::to_array<OptionSpec>({
    {.name = "Enabled",
     .type = OptionType::flag,
     .preset = "yes",
     .help = "Whether this kind of ghost is looked for at all."},
    {.name = "Clean",
     .type = OptionType::choice,
     .preset = "proven",
     .help = "Which ghosts are cleaned without being asked: never any, those that are proven, or even those "
             "that are only suspected.",
     .choices = clean_choices},
    {.name = "Veto",
     .type = OptionType::span,
     .preset = "30s",
     .help = "How long an act is announced before it is done, so that it can be held back."},
});

Decision report(std::string reason) {
    return {.action = Action::report, .reason = std::move(reason)};
}

} // namespace

Decision decide(const Ghost& ghost, const KindPolicy& policy, Health health) {
    if (ghost.kind->reach == Reach::reports) {
        return report(formatted("the kind {} only reports", ghost.kind->name));
    }
    if (ghost.reach == Reach::reports) {
        return report("such a ghost is only ever reported");
    }
    if (policy.clean == CleanPolicy::never) {
        return report(formatted("Clean=never for the kind {}", ghost.kind->name));
    }
    const bool enough = ghost.grade == Grade::proven || policy.clean == CleanPolicy::suspected;
    if (!enough && !ghost.askable) {
        return report("it is only suspected, and only what is proven is cleaned");
    }
    if (health == Health::lossy) {
        return report(formatted("events of the kind {} were lost, so nothing of it is cleaned before a whole "
                                "sweep has put that right",
                                ghost.kind->name));
    }
    if (!enough) {
        return {.action = Action::ask,
                .reason = formatted("it is only suspected, so {}", ghost.kind->question)};
    }
    // Of each of very many: in a fraction of the time that std::format takes.
    std::string reason{"it is "};
    reason += to_string(ghost.grade);
    reason += ", and Clean=";
    reason += to_string(policy.clean);
    return {.action = Action::clean, .reason = std::move(reason)};
}

std::span<const OptionSpec> common_kind_options() {
    return options;
}

KindPolicy kind_policy(const OptionValues& section) {
    // The option's choices are the policy's names; the test of this file holds the two together.
    return {.clean = parse_clean_policy(section.text("Clean")).value(), .veto = section.span("Veto")};
}

} // namespace egb::engine
