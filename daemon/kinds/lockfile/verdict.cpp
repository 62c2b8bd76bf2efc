// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/verdict.hpp"

#include "host/lineage.hpp"
#include "kinds/lockfile/evidence.hpp"

#include <array>

namespace egb::lockfile {

namespace {

struct FactRule {
    std::uint32_t fact;
    const EvidenceRule* rule;
};

/// Those whose number is not zero are in value_of().
constexpr std::array fact_rules{
    FactRule{exclusive_unseen, &unseen},
    FactRule{earlier_boot, &rebooted},
    FactRule{creator_killed, &killed},
    FactRule{names_creator, &names_its_creator},
    FactRule{creator_exited, &exited},
    FactRule{owners_unknown, &unknown_owners},
    FactRule{unwatched, &not_watched},
    FactRule{is_held, &held},
    FactRule{holders_unknown, &unknown_holders},
    FactRule{is_locked, &locked},
    FactRule{was_advisory, &advisory},
    FactRule{names_living, &names_a_living_one},
    FactRule{names_elsewhere, &names_one_elsewhere},
    FactRule{has_other_names, &other_names},
    FactRule{is_remote, &remote},
    FactRule{is_exported, &exported},
    FactRule{is_mount_point, &mount_point},
    FactRule{is_not_empty, &not_empty},
    FactRule{is_too_large, &too_large},
    FactRule{changed_since, &changed_later},
    FactRule{is_protected, &protected_file},
    FactRule{is_out_of_bounds, &out_of_bounds},
    FactRule{is_ageless, &ageless},
    FactRule{is_anothers, &anothers},
    FactRule{is_unreachable, &unreachable},
    FactRule{holds_data, &data},
    FactRule{was_renamed, &renamed},
    FactRule{made_for_others, &for_others},
    FactRule{heir_exited, &left_by_heir},
    FactRule{parent_goes_on, &parent_lives},
};

/// With these it is not to be touched by anybody, not even on request.
constexpr std::uint32_t never_touched = is_held | is_locked | was_advisory | has_other_names | is_remote |
                                        is_mount_point | is_not_empty | is_too_large | is_protected |
                                        is_out_of_bounds | is_ageless | is_anothers | is_unreachable |
                                        exclusive_unseen | is_exported | made_for_others;

/// With these there may be an owner whom the lineage does not know.
constexpr std::uint32_t may_have_owners =
    owners_unknown | unwatched | was_advisory | names_living | names_elsewhere | is_remote | is_anothers |
    is_unreachable | has_other_names | changed_since | made_for_others | is_exported | parent_goes_on;

/// For it, or nothing about whether it is a ghost.
constexpr std::uint32_t not_against =
    creator_killed | creator_dumped_core | names_creator | earlier_boot | made_by_fork | is_out_of_bounds;

std::int64_t value_of(const LockRecord& record, const EvidenceRule& rule) {
    if (&rule == &killed) {
        return host::Death{.at = {}, .wait_status = record.wait_status}.signal();
    }
    if (&rule == &names_its_creator || &rule == &names_a_living_one || &rule == &names_one_elsewhere) {
        return record.named_pid;
    }
    if (&rule == &held) {
        return record.holders;
    }
    return &rule == &too_large || &rule == &data ? static_cast<std::int64_t>(record.size) : 0;
}

} // namespace

Grade grade_of(const LockRecord& record) {
    const bool met_its_end = (record.facts & (creator_killed | earlier_boot)) != 0;
    return met_its_end && record.ownerless_ns != 0 && (record.facts & ~not_against) == 0 ? Grade::proven
                                                                                         : Grade::suspected;
}

Reach reach_of(const LockRecord& record) {
    return (record.facts & never_touched) != 0 ? Reach::reports : Reach::cleans;
}

std::vector<Evidence> evidence_of(const LockRecord& record) {
    std::vector<Evidence> evidence;
    if ((record.facts & exclusive_unseen) == 0) {
        evidence.push_back({&created_exclusively, 0});
    }
    if ((record.facts & (owners_unknown | earlier_boot)) == 0) {
        evidence.push_back({&without_owner, static_cast<std::int64_t>(record.ownerless_ns)});
    }
    if ((record.facts & (is_held | is_locked | holders_unknown | is_unreachable)) == 0) {
        evidence.push_back({&unheld, 0});
    }
    for (const FactRule& fact : fact_rules) {
        if ((record.facts & fact.fact) != 0) {
            evidence.push_back({fact.rule, value_of(record, *fact.rule)});
        }
    }
    return evidence;
}

OwnerVerdict ownership_by(const LockRecord& record, bool any_lives) {
    if (any_lives) {
        return OwnerVerdict::owned;
    }
    const bool is_doubtful = record.ownerless_ns == 0 || (record.facts & may_have_owners) != 0;
    return is_doubtful ? OwnerVerdict::unknown : OwnerVerdict::ownerless;
}

std::vector<Evidence> evidence_of_ownership(const LockRecord& record) {
    auto evidence = evidence_of(record);
    std::erase_if(evidence, [&record](const Evidence& item) {
        const bool is_about_the_end = item.rule == &without_owner || item.rule == &exited;
        return item.rule == &unheld || (is_about_the_end && record.ownerless_ns == 0);
    });
    return evidence;
}

} // namespace egb::lockfile
