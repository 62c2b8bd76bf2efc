// SPDX-License-Identifier: Apache-2.0
#include "kinds/process/tracker.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"
#include "host/lineage.hpp"
#include "kinds/process/evidence.hpp"
#include "kinds/process/process.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ranges>
#include <utility>

namespace egb::process {

namespace {

/// How often a parent with zombies is looked at.
constexpr Span between_looks = std::chrono::seconds{10};
/// So long a parent that was told again may take to wait for them all.
constexpr Span patience = std::chrono::seconds{5};
/// What growth is measured over.
constexpr Span window = std::chrono::minutes{10};

constexpr std::size_t listed_zombies = 20;

template <typename Record>
Record record_of(const Sighting& sighting) {
    Record record{};
    std::memcpy(&record, sighting.record.data(), std::min(sizeof(record), sighting.record.size()));
    return record;
}

std::pair<std::int32_t, std::uint64_t> key_of(const ProcessIdentity& process) {
    return {process.pid, process.start_ticks};
}

std::string ghost_key_of(const Process& parent) {
    return formatted("parent:{}@{}", parent.id.pid, parent.id.start_ticks);
}

std::string name_of(const Process& parent) {
    return parent.unit.empty() ? formatted("{} (pid {})", parent.comm, parent.id.pid)
                               : formatted("{} (pid {}) of {}", parent.comm, parent.id.pid, parent.unit);
}

std::string described(const ZombieTracker::Zombie& zombie) {
    const host::Death death{.at = zombie.died, .wait_status = zombie.wait_status};
    return formatted("{} {}, {}", zombie.pid, zombie.comm, host::to_string(death));
}

Fields fields_of(const Process& parent, const ParentRecord& facts,
                 const std::vector<ZombieTracker::Zombie>& zombies) {
    std::string list;
    for (const auto& zombie : zombies | std::views::take(listed_zombies)) {
        list += formatted("{}{}", list.empty() ? "" : "; ", described(zombie));
    }
    if (zombies.size() > listed_zombies) {
        list += formatted("; and {} more", zombies.size() - listed_zombies);
    }
    Fields fields{
        {"parent", std::int64_t{parent.id.pid}}, {"zombies", std::uint64_t{zombies.size()}}, {"dead", list}};
    if (facts.task_limit != UINT64_MAX && facts.task_limit != 0) {
        fields.push_back({"tasks_used", facts.tasks_used});
        fields.push_back({"task_limit", facts.task_limit});
    }
    return fields;
}

} // namespace

void ZombieTracker::observe(const Sighting& sighting) {
    switch (sighting.type) {
    case SightingType::sweep_begin:
        met_.clear();
        dead_met_ = 0;
        next_overdue_ = end_of_time;
        break;
    case SightingType::seen:
        see(sighting);
        break;
    case SightingType::held:
        hold(sighting);
        break;
    case SightingType::sweep_end:
        end_sweep(sighting.at);
        break;
    case SightingType::gone: {
        const auto record = record_of<ParentRecord>(sighting);
        if (const auto known = parents_.find({record.pid, record.start_ticks}); known != parents_.end()) {
            known->second.ended = true;
        }
        break;
    }
    case SightingType::lost:
        break; // a sweep says all there is to say
    }
}

void ZombieTracker::see(const Sighting& sighting) {
    switch (RecordType{record_of<egb_header>(sighting).type}) {
    case RecordType::death: {
        const Instant overdue = later(sighting.at, after_);
        deadline_ = deadline_ ? std::min(*deadline_, overdue) : overdue;
        break;
    }
    case RecordType::parent: {
        const auto record = record_of<ParentRecord>(sighting);
        if (const auto met = met_.find({record.pid, record.start_ticks}); met != met_.end()) {
            met->second.facts = record;
        }
        break;
    }
    case RecordType::told: {
        const auto record = record_of<ToldRecord>(sighting);
        if (const auto known = parents_.find({record.pid, record.start_ticks}); known != parents_.end()) {
            known->second.told = sighting.at;
            known->second.told_of.clear();
            for (const Zombie& zombie : known->second.found.zombies) {
                known->second.told_of.emplace(zombie.pid, zombie.start_ticks);
            }
            deadline_ = later(sighting.at, patience);
        }
        break;
    }
    case RecordType::zombie:
        break; // held by somebody, or nobody's concern
    }
}

/// Since when its parent might have waited for it: one that has inherited it has to hear of it first.
Instant ZombieTracker::concerns_since(const ZombieRecord& record, const Sighting& sighting) {
    if ((record.flags & is_inherited) == 0 || !sighting.process) {
        return instant_of(record.died_ns);
    }
    const Key parent = key_of(sighting.process->id);
    Heir& heir = inherited_[{record.pid, record.start_ticks}];
    if (heir.parent != parent) {
        heir = {.parent = parent, .since = sighting.at};
    }
    heir.met = true;
    return heir.since;
}

void ZombieTracker::hold(const Sighting& sighting) {
    const auto record = record_of<ZombieRecord>(sighting);
    const Instant died = instant_of(record.died_ns);
    const Instant overdue = later(concerns_since(record, sighting), after_);
    ++dead_met_;
    if (overdue > sighting.at || !sighting.process) {
        next_overdue_ = std::min(next_overdue_, overdue);
        return;
    }
    Found& found = met_[key_of(sighting.process->id)];
    found.parent = sighting.process;
    found.zombies.push_back({.pid = record.pid,
                             .start_ticks = record.start_ticks,
                             .comm = std::string{record.comm},
                             .wait_status = record.wait_status,
                             .died = died,
                             .flags = record.flags});
}

void ZombieTracker::end_sweep(Instant at) {
    drop_unmet(at);
    for (auto& [key, found] : met_) {
        std::ranges::sort(found.zombies, {}, &Zombie::died);
        Parent& parent = parents_[key];
        meet(parent, std::move(found), at);
        judge(parent, at);
    }
    met_.clear();
    std::erase_if(inherited_, [](auto& item) {
        return !std::exchange(item.second.met, false);
    });
    dead_ = dead_met_;
    plan(at);
}

/// One that has been told again and then waits does so because of that.
void ZombieTracker::drop_unmet(Instant at) {
    std::erase_if(parents_, [&](const auto& item) {
        const auto& [key, parent] = item;
        if (met_.contains(key)) {
            return false;
        }
        const bool by_question =
            !parent.ended && parent.told != Instant{} && at - parent.told <= 2 * between_looks;
        changes_.vanished.push_back(
            {.key = ghost_key_of(*parent.found.parent),
             .reason = by_question    ? "its parent was told again, and has waited for all of them"
                       : parent.ended ? "its parent has ended, and they have gone to init"
                                      : "they have been waited for",
             .by_question = by_question});
        return true;
    });
}

/// Being told proves nothing of a parent that could not listen, or that has waited for one of them since.
void ZombieTracker::doubt(Parent& parent) {
    std::set<Key> left;
    for (const Zombie& zombie : parent.found.zombies) {
        left.emplace(zombie.pid, zombie.start_ticks);
    }
    if ((parent.found.facts.flags & is_stopped) != 0 || !std::ranges::includes(left, parent.told_of)) {
        parent.told = {};
        parent.told_of.clear();
    }
}

void ZombieTracker::meet(Parent& parent, Found found, Instant at) {
    parent.found = std::move(found);
    doubt(parent);
    std::erase_if(parent.samples, [at](const Sample& sample) {
        return at - sample.at > window;
    });
    if (parent.samples.empty() || at - parent.samples.back().at >= between_looks / 2) {
        parent.samples.push_back({.at = at, .value = static_cast<double>(parent.found.zombies.size())});
    }
}

void ZombieTracker::plan(Instant at) {
    const Instant next = parents_.empty() ? next_overdue_ : std::min(next_overdue_, later(at, between_looks));
    deadline_ = next == end_of_time ? std::nullopt : std::optional{next};
    for (const auto& [key, parent] : parents_) {
        if (parent.told != Instant{} && at - parent.told < patience) {
            deadline_ = std::min(*deadline_, later(parent.told, patience));
        }
    }
}

ZombieTracker::Outlook ZombieTracker::outlook_of(const Parent& parent) {
    const double per_minute = growth_per_minute(parent.samples).value_or(0.0);
    const ParentRecord& facts = parent.found.facts;
    Outlook outlook{.per_minute = std::lround(per_minute), .until_full = {}};
    if (facts.task_limit != UINT64_MAX && facts.task_limit != 0) {
        outlook.until_full =
            lasts(static_cast<double>(facts.task_limit) - static_cast<double>(facts.tasks_used), per_minute);
    }
    return outlook;
}

bool ZombieTracker::has_been_told(const Parent& parent, Instant at) const {
    return parent.told != Instant{} && at - parent.told >= patience;
}

bool ZombieTracker::may_be_told(const Parent& parent) const {
    return nudge_ && (parent.found.facts.flags & (can_be_told | is_stopped | is_init)) == can_be_told;
}

/// It was told again and does not wait, its end is near, and it is its zombies that take it there.
bool ZombieTracker::is_ripe(const Parent& parent, const Outlook& outlook) const {
    return ripe_within_ && parent.found.parent->unit.ends_with(".service") && outlook.until_full &&
           *outlook.until_full <= *ripe_within_ && outlook.per_minute > 0 &&
           parent.found.zombies.size() * 2 >= parent.found.facts.tasks_used;
}

std::vector<Evidence> ZombieTracker::evidence_of(const Parent& parent, const Outlook& outlook,
                                                 Instant at) const {
    const auto& [process, facts, all] = parent.found;
    const auto count_with = [&all](std::uint32_t flag) {
        return std::ranges::count_if(all, [flag](const Zombie& zombie) {
            return (zombie.flags & flag) != 0;
        });
    };
    std::vector<Evidence> evidence{{&zombies, static_cast<std::int64_t>(all.size())},
                                   {&oldest, all.front().died.time_since_epoch().count()}};
    const auto add_if = [&evidence](bool applies, const EvidenceRule& rule, std::int64_t value = 0) {
        if (applies) {
            evidence.push_back({&rule, value});
        }
    };
    const bool was_told = has_been_told(parent, at);
    const auto traced_ones = count_with(is_traced);
    const auto older = count_with(dead_before_us);
    const bool limited = facts.task_limit != UINT64_MAX && facts.task_limit != 0;
    add_if(was_told, told_again, parent.told.time_since_epoch().count());
    add_if((facts.flags & is_container_init) != 0, container_init);
    add_if(outlook.per_minute > 0, growth, outlook.per_minute);
    add_if(limited && outlook.until_full.has_value(), tasks_used,
           static_cast<std::int64_t>(facts.tasks_used));
    add_if(limited && outlook.until_full.has_value(), task_limit,
           static_cast<std::int64_t>(facts.task_limit));
    add_if(outlook.until_full.has_value(), exhaustion, outlook.until_full.value_or(Span{}).count());
    add_if(!was_told, may_wait_later);
    add_if((facts.flags & is_stopped) != 0, stopped);
    add_if(traced_ones > 0, traced, traced_ones);
    add_if(older > 0, dead_before, older);
    add_if((facts.flags & can_be_told) == 0, out_of_reach);
    return evidence;
}

/// Proven is a parent that was told again and does not wait, all by itself: nobody stops it, nor traces them.
void ZombieTracker::judge(Parent& parent, Instant at) {
    const Outlook outlook = outlook_of(parent);
    auto evidence = evidence_of(parent, outlook, at);
    const auto& found = parent.found;
    const bool hindered = std::ranges::any_of(evidence, [](const Evidence& one) {
        return one.rule == &stopped || one.rule == &traced;
    });
    const bool proven = has_been_told(parent, at) && !hindered;
    const bool ripe = proven && is_ripe(parent, outlook);
    auto summary = formatted("{} does not wait for its children: {} zombie{}", name_of(*found.parent),
                             found.zombies.size(), found.zombies.size() == 1 ? "" : "s");
    if (outlook.per_minute > 0) {
        summary += formatted(", {} more each minute", outlook.per_minute);
    }
    if (outlook.until_full) {
        summary += formatted(", no room for more in {}", format_span(*outlook.until_full));
    }
    Ghost ghost{
        .id = {},
        .kind = &info(),
        .key = ghost_key_of(*found.parent),
        .grade = proven ? Grade::proven : Grade::suspected,
        .summary = std::move(summary),
        .since = found.zombies.front().died,
        .since_kind =
            (found.zombies.front().flags & dead_before_us) != 0 ? SinceKind::at_least : SinceKind::observed,
        .holders = {{.process = found.parent}},
        .evidence = std::move(evidence),
        .reach = ripe || (!proven && may_be_told(parent)) ? Reach::cleans : Reach::reports,
        .askable = !proven && may_be_told(parent) && !hindered,
    };
    if (!parent.ghost || parent.ghost->evidence != ghost.evidence || parent.ghost->summary != ghost.summary ||
        parent.ghost->reach != ghost.reach) {
        parent.ghost = ghost;
        changes_.ghosts.push_back(std::move(ghost));
    }
}

Changes ZombieTracker::tick(Instant /*now*/) {
    return std::exchange(changes_, {});
}

const ZombieTracker::Parent* ZombieTracker::find(std::string_view key) const {
    const auto found = std::ranges::find_if(parents_, [key](const auto& item) {
        return item.second.ghost && item.second.ghost->key == key;
    });
    return found == parents_.end() ? nullptr : &found->second;
}

std::vector<ProcessPtr> ZombieTracker::missing() const {
    std::vector<ProcessPtr> missing;
    for (const auto& [key, parent] : parents_) {
        if (!met_.contains(key)) {
            missing.push_back(parent.found.parent);
        }
    }
    return missing;
}

ProcessPtr ZombieTracker::parent_of(std::string_view key) const {
    const Parent* const parent = find(key);
    return parent == nullptr ? nullptr : parent->found.parent;
}

const std::vector<ZombieTracker::Zombie>& ZombieTracker::zombies_of(std::string_view key) const {
    static const std::vector<Zombie> none;
    const Parent* const parent = find(key);
    return parent == nullptr ? none : parent->found.zombies;
}

Facts ZombieTracker::facts(std::string_view key) const {
    const Parent* const parent = find(key);
    if (parent == nullptr) {
        return [] {
            return Fields{};
        };
    }
    return [process = parent->found.parent, facts = parent->found.facts, zombies = parent->found.zombies] {
        return fields_of(*process, facts, zombies);
    };
}

} // namespace egb::process
