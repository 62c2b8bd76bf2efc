// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/tracker.hpp"

#include "core/format.hpp"
#include "core/utf8.hpp"
#include "host/lineage.hpp"
#include "kinds/lockfile/lockfile.hpp"
#include "kinds/lockfile/verdict.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace egb::lockfile {

namespace {

/// Nobody tells when a file is closed, or when a process ends that has nothing to do with it but its pid.
constexpr std::uint32_t ends_unseen =
    is_held | holders_unknown | is_locked | names_living | is_mount_point | is_unreachable | parent_goes_on;
constexpr Span soonest_again = std::chrono::seconds{1};
constexpr Span latest_again = std::chrono::minutes{5};
constexpr int stagger_parts = 16;

std::string end_of(const LockRecord& record) {
    if ((record.facts & earlier_boot) != 0) {
        return "of an earlier boot";
    }
    if ((record.facts & (creator_killed | creator_exited)) == 0) {
        return "dead";
    }
    return host::to_string({.at = {}, .wait_status = record.wait_status});
}

std::string summary_of(const SeenLock& seen, const ProcessPtr& creator) {
    const std::string name = creator ? creator->comm : std::string{};
    return formatted("{} left by {} (pid {}), {}", printable(seen.path), name.empty() ? "a process" : name,
                     creator ? creator->id.pid : 0, end_of(seen.record));
}

Fields fields_of(const SeenLock& seen, const ProcessPtr& creator) {
    Fields fields{{"path", printable(seen.path)},
                  {"device", seen.record.device},
                  {"inode", seen.record.inode},
                  {"size", seen.record.size},
                  {"created_by", std::string{way_in_words(seen.record.way)}},
                  {"mount_namespace", std::uint64_t{seen.record.mount_namespace}}};
    if (creator) {
        fields.push_back({"creator", std::int64_t{creator->id.pid}});
        fields.push_back({"creator_command", creator->comm});
    }
    if (seen.record.named_pid != 0) {
        fields.push_back({"named_pid", std::int64_t{seen.record.named_pid}});
    }
    return fields;
}

} // namespace

void LockTracker::set_after(Span after, Instant now) {
    after_ = after;
    for (auto& [key, lock] : locks_) {
        plan_anew(key, lock, now);
    }
}

/// Who is killed has his files open for a moment longer: what is doubtful because of that is not told at
/// once, however soon it may be.
std::optional<Instant> LockTracker::due_of(const Lock& lock) const {
    const LockRecord& record = lock.seen.record;
    if (record.ownerless_ns == 0) {
        return std::nullopt;
    }
    const bool may_pass = !lock.is_told && (record.facts & ends_unseen) != 0;
    return later(instant_of(record.ownerless_ns), may_pass ? std::max(after_, soonest_again) : after_);
}

/// In place of what was planned before.
void LockTracker::plan(const std::string& key, Lock& lock, std::optional<Instant> due) {
    if (lock.due) {
        agenda_.erase({*lock.due, key});
    }
    lock.due = due;
    if (due) {
        agenda_.emplace(*due, key);
    }
}

void LockTracker::stagger_from(Instant begun) {
    stagger_ =
        std::chrono::floor<std::chrono::microseconds>(begun).time_since_epoch().count() % stagger_parts;
}

void LockTracker::observe(const Sighting& sighting) {
    if (sighting.type != SightingType::seen && sighting.type != SightingType::gone) {
        return; // each lock is looked at by itself
    }
    auto seen = read_lock(sighting.record);
    if (!seen) {
        return;
    }
    if (sighting.type == SightingType::gone) {
        forget(*seen);
    } else {
        see(sighting, std::move(*seen));
    }
}

void LockTracker::see(const Sighting& sighting, SeenLock seen) {
    const std::string key = key_of(seen.record);
    Lock& lock = locks_[key];
    lock.seen = std::move(seen);
    lock.seen_at = sighting.at;
    lock.creator = sighting.process;
    plan_anew(key, lock, sighting.at);
}

/// What it was told of may hold no longer.
void LockTracker::plan_anew(const std::string& key, Lock& lock, Instant now) {
    const auto due = due_of(lock);
    if (!due) {
        let_go(key, lock, "it has an owner");
    } else if (*due > now) {
        let_go(key, lock, "it has not been without an owner for as long as LockAfter= says");
    }
    plan(key, lock, due);
}

void LockTracker::forget(const SeenLock& seen) {
    const auto found = locks_.find(key_of(seen.record));
    if (found == locks_.end()) {
        return;
    }
    plan(found->first, found->second, std::nullopt);
    let_go(found->first, found->second, "it is no longer there");
    locks_.erase(found);
}

void LockTracker::let_go(const std::string& key, Lock& lock, std::string reason) {
    if (std::exchange(lock.is_told, false)) {
        changes_.vanished.push_back({.key = key, .reason = std::move(reason)});
    }
}

/// What may end without a word of the kernel is looked at again, the more rarely the longer it lasts, and not
/// at the very moment when another daemon does that watches this machine: each would see the other hold it,
/// for ever.
void LockTracker::judge(const std::string& key, Lock& lock, Instant now) {
    tell(key, lock);
    const bool may_end = (lock.seen.record.facts & ends_unseen) != 0;
    const Span age = now - instant_of(lock.seen.record.ownerless_ns);
    const Span pause = std::clamp(age + age * stagger_ / stagger_parts, soonest_again, latest_again);
    plan(key, lock, may_end ? std::optional{later(now, pause)} : std::nullopt);
}

void LockTracker::tell(const std::string& key, Lock& lock) {
    const LockRecord& record = lock.seen.record;
    Ghost ghost{
        .id = {},
        .kind = &info(),
        .key = key,
        .grade = grade_of(record),
        .summary = summary_of(lock.seen, lock.creator),
        .since = instant_of(record.ownerless_ns),
        .since_kind =
            (record.facts & (earlier_boot | owners_unknown)) != 0 ? SinceKind::at_least : SinceKind::observed,
        .holders = {},
        .evidence = evidence_of(record),
        .reach = reach_of(record),
    };
    if (lock.creator) {
        ghost.holders.push_back({.process = lock.creator});
    }
    if (!lock.is_told || lock.told.grade != ghost.grade || lock.told.evidence != ghost.evidence ||
        lock.told.summary != ghost.summary || lock.told.reach != ghost.reach) {
        lock.is_told = true;
        lock.told = ghost;
        changes_.ghosts.push_back(std::move(ghost));
    }
}

/// A sweep is due then, and may have to wait.
bool LockTracker::may_have_ended_since(const Lock& lock) {
    return (lock.seen.record.facts & ends_unseen) != 0 && lock.seen_at < lock.due;
}

Changes LockTracker::tick(Instant now) {
    for (const std::string& key : due(now)) {
        if (Lock& lock = locks_.at(key); !may_have_ended_since(lock)) {
            judge(key, lock, now);
        }
    }
    return std::exchange(changes_, {});
}

std::optional<Instant> LockTracker::deadline() const {
    if (agenda_.empty()) {
        return look_again_;
    }
    return std::min(agenda_.begin()->first, look_again_.value_or(end_of_time));
}

std::vector<std::string> LockTracker::due(Instant by) const {
    std::vector<std::string> keys;
    for (const auto& [at, key] : agenda_) {
        if (at > by) {
            break;
        }
        keys.push_back(key);
    }
    return keys;
}

Facts LockTracker::facts(std::string_view key) const {
    const auto found = locks_.find(key);
    if (found == locks_.end()) {
        return [] {
            return Fields{};
        };
    }
    return [seen = found->second.seen, creator = found->second.creator] {
        return fields_of(seen, creator);
    };
}

} // namespace egb::lockfile
