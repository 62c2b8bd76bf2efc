// SPDX-License-Identifier: Apache-2.0
#include "harness/fake_kind.hpp"

#include "harness/fake_events.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace egb::test {

namespace {

constexpr auto options = std::to_array<OptionSpec>({
    {.name = "Grace",
     .type = OptionType::span,
     .preset = "0",
     .help = "How long a thing may lie about before it is a ghost."},
});

constexpr auto rules = std::to_array<EvidenceRule>({
    {.name = "planted",
     .weight = Weight::supports,
     .unit = EvidenceUnit::since,
     .text = "it was planted {} ago",
     .change = "its removal would end it"},
    {.name = "vouched-for",
     .weight = Weight::supports,
     .unit = EvidenceUnit::none,
     .text = "whoever planted it says that it is a ghost beyond doubt",
     .change = ""},
    {.name = "not-vouched-for",
     .weight = Weight::opposes,
     .unit = EvidenceUnit::none,
     .text = "whoever planted it does not say that it is a ghost beyond doubt",
     .change = "planting it again as proven would prove it"},
});

Result<> check_name(std::string_view word) {
    return word.contains(' ') ? fail(ErrorCode::invalid, "a name without a blank") : Result<>{};
}

constexpr std::array lists{
    ListSpec{.name = "names", .text = "# as this build has them\nknown\n", .check = check_name},
};

constexpr KindInfo info_named(std::string_view name, Reach reach) {
    return {.name = name,
            .summary = "Things that a test has planted.",
            .reach = reach,
            .options = options,
            .evidence = rules,
            .capabilities = {},
            .lists = lists};
}

bool same_thing(const FakeRecord& left, const FakeRecord& right) {
    return left.inode == right.inode && left.born == right.born;
}

FakeRecord record_of(const Sighting& sighting) {
    FakeRecord record{};
    if (sighting.record.size() != sizeof(record)) {
        throw std::invalid_argument{"not a record of the kind fake"};
    }
    std::memcpy(&record, sighting.record.data(), sizeof(record));
    return record;
}

} // namespace

FakeRecord fake_record(std::string_view key, Grade grade, std::uint64_t inode, std::uint64_t born) {
    FakeRecord record{.inode = inode, .born = born, .key = {}, .proven = grade == Grade::proven ? 1U : 0U};
    if (key.size() >= record.key.size()) {
        throw std::invalid_argument{"the key is too long for the kind fake: " + std::string{key}};
    }
    std::ranges::copy(key, record.key.begin());
    return record;
}

std::string_view key_of(const FakeRecord& record) {
    return record.key.data();
}

Grade grade_of(const FakeRecord& record) {
    return record.proven != 0 ? Grade::proven : Grade::suspected;
}

const KindInfo& fake_info() {
    static constexpr KindInfo info = info_named("fake", Reach::cleans);
    return info;
}

const KindInfo& fake_report_info() {
    static constexpr KindInfo info = info_named("fake-report", Reach::reports);
    return info;
}

void FakeTracker::observe(const Sighting& sighting) {
    last_seen_ = sighting.at;
    switch (sighting.type) {
    case SightingType::seen:
        see(sighting);
        break;
    case SightingType::gone:
        if (const auto thing = things_.find(key_of(record_of(sighting))); thing != things_.end()) {
            end(thing, sighting.at, "it was removed");
        }
        break;
    case SightingType::held:
        hold(sighting);
        break;
    case SightingType::sweep_begin:
        std::ranges::for_each(things_, [](auto& entry) {
            entry.second.swept = false;
        });
        break;
    case SightingType::sweep_end:
        end_unswept(sighting.at);
        break;
    case SightingType::lost:
        break;
    }
}

void FakeTracker::see(const Sighting& sighting) {
    const FakeRecord record = record_of(sighting);
    std::string key{key_of(record)};
    auto thing = things_.find(key);
    if (thing != things_.end() && !same_thing(thing->second.record, record)) {
        end(thing, sighting.at, "another of the same name is in its place");
        thing = things_.end();
    }
    if (thing == things_.end()) {
        const auto since_kind = sighting.source == Source::event ? SinceKind::observed : SinceKind::at_least;
        things_.emplace(key, Thing{.record = record,
                                   .since = sighting.at,
                                   .since_kind = since_kind,
                                   .holders = {},
                                   .told = false,
                                   .swept = true});
        due_.emplace(later(sighting.at, grace_), std::move(key));
        return;
    }
    thing->second.swept = true;
    if (std::exchange(thing->second.record, record).proven != record.proven && thing->second.told) {
        due_.emplace(sighting.at, std::move(key));
    }
}

void FakeTracker::hold(const Sighting& sighting) {
    const auto thing = things_.find(key_of(record_of(sighting)));
    if (thing == things_.end()) {
        return;
    }
    const Holder holder{.process = sighting.process, .fd = -1};
    if (!std::ranges::contains(thing->second.holders, sighting.process->id, [](const Holder& known) {
            return known.process->id;
        })) {
        thing->second.holders.push_back(holder);
        if (thing->second.told) {
            due_.emplace(sighting.at, thing->first);
        }
    }
}

void FakeTracker::end(Things::iterator thing, Instant at, std::string_view reason) {
    if (thing->second.told) {
        vanished_.push_back({.key = thing->first, .reason = std::string{reason}});
        last_seen_ = at;
    }
    due_.erase({later(thing->second.since, grace_), thing->first});
    things_.erase(thing);
}

void FakeTracker::stay_silent(std::string_view key) {
    const auto thing = things_.find(key);
    end(thing, thing->second.since, "it did not answer");
    vanished_.back().by_question = true;
}

void FakeTracker::end_unswept(Instant at) {
    for (auto thing = things_.begin(); thing != things_.end();) {
        const auto next = std::next(thing);
        if (!thing->second.swept) {
            end(thing, at, "a sweep did not find it");
        }
        thing = next;
    }
}

Changes FakeTracker::tick(Instant now) {
    Changes changes{.ghosts = {}, .vanished = std::exchange(vanished_, {})};
    while (!due_.empty() && due_.begin()->first <= now) {
        const std::string key = due_.extract(due_.begin()).value().second;
        if (const auto thing = things_.find(key); thing != things_.end()) {
            thing->second.told = true;
            changes.ghosts.push_back(judge(key, thing->second));
        }
    }
    return changes;
}

std::optional<Instant> FakeTracker::deadline() const {
    if (!vanished_.empty()) {
        return last_seen_;
    }
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
}

Ghost FakeTracker::judge(const std::string& key, const Thing& thing) const {
    const Grade grade = grade_of(thing.record);
    const auto since = thing.since.time_since_epoch().count();
    return {.id = 0,
            .kind = &info_,
            .key = key,
            .grade = grade,
            .summary = "something called " + key,
            .since = thing.since,
            .since_kind = thing.since_kind,
            .holders = thing.holders,
            .evidence = {{.rule = &rules.at(0), .value = since},
                         {.rule = &rules.at(grade == Grade::proven ? 1 : 2), .value = 0}},
            .askable = askable_};
}

Facts FakeTracker::facts(std::string_view key) const {
    const auto record = find(key);
    return [record] {
        return record ? Fields{{.name = "inode", .value = record->inode}} : Fields{};
    };
}

std::optional<FakeRecord> FakeTracker::find(std::string_view key) const {
    const auto thing = things_.find(key);
    return thing == things_.end() ? std::nullopt : std::optional{thing->second.record};
}

void FakeCleaner::take_back(std::span<const GhostPtr> ghosts) {
    for (const GhostPtr& ghost : ghosts) {
        taken_back_.push_back(ghost->key);
    }
}

Result<> FakeCleaner::confirm(const Ghost& ghost) {
    confirmed_.push_back(ghost.key);
    return confirmation_;
}

std::vector<Outcome> FakeCleaner::clean(std::span<const GhostPtr> ghosts) {
    batches_.push_back(ghosts.size());
    std::vector<Outcome> outcomes;
    for (const GhostPtr& ghost : ghosts) {
        outcomes.push_back(clean_one(*ghost));
    }
    return outcomes;
}

std::vector<Outcome> FakeCleaner::ask(std::span<const GhostPtr> ghosts) {
    batches_.push_back(ghosts.size());
    for (const GhostPtr& ghost : ghosts) {
        asked_.push_back(ghost->key);
    }
    return std::vector<Outcome>(ghosts.size(), {.verdict = Verdict::asked, .reason = "a knock at its door"});
}

Outcome FakeCleaner::clean_one(const Ghost& ghost) {
    cleaned_.push_back(ghost.key);
    const Outcome outcome =
        clean_ ? clean_(ghost)
               : Outcome{.verdict = Verdict::cleaned, .reason = "a second look did not find it"};
    if (outcome.verdict == Verdict::cleaned) {
        quarantine_[ghost.id] = ghost.key;
    }
    return outcome;
}

Result<std::string> FakeCleaner::restore(GhostId id) {
    const auto kept = quarantine_.extract(id);
    if (kept.empty()) {
        return fail(ErrorCode::not_found, "nothing of ghost {} is in quarantine", id);
    }
    return kept.mapped();
}

void FakeKind::plant(std::string_view key, Grade grade, const std::vector<Holder>& holders) {
    const auto known = planted_.find(key);
    const auto inode = known == planted_.end() ? next_inode_++ : known->second.record.inode;
    Planted& planted = planted_[std::string{key}];
    planted = {.record = fake_record(key, grade, inode), .holders = holders};
    tell(planted, SightingType::seen, Source::event);
}

void FakeKind::remove(std::string_view key) {
    if (const auto planted = planted_.find(key); planted != planted_.end()) {
        tell(planted->second, SightingType::gone, Source::event);
        planted_.erase(planted);
    }
}

void FakeKind::lose(std::uint64_t events) {
    lost_ += events;
    tracker_.observe({.type = SightingType::lost, .source = Source::event, .at = clock_.now()});
}

std::vector<Capability> FakeKind::capabilities() const {
    return {{.name = "planting", .works = true, .detail = "from inside of the test"}};
}

Result<> FakeKind::sweep(SweepReason /*reason*/) {
    tracker_.observe({.type = SightingType::sweep_begin, .source = Source::sweep, .at = clock_.now()});
    for (const auto& [key, planted] : planted_) {
        tell(planted, SightingType::seen, Source::sweep);
    }
    tracker_.observe({.type = SightingType::sweep_end, .source = Source::sweep, .at = clock_.now()});
    return {};
}

Result<> FakeKind::provoke_canary() {
    ++canaries_;
    return {};
}

void FakeKind::tell(const Planted& planted, SightingType type, Source source) {
    const auto record = bytes_of(planted.record);
    tracker_.observe({.type = type, .source = source, .at = clock_.now(), .record = record});
    if (type == SightingType::seen) {
        for (const Holder& holder : planted.holders) {
            tracker_.observe({.type = SightingType::held,
                              .source = source,
                              .at = clock_.now(),
                              .record = record,
                              .process = holder.process});
        }
    }
}

} // namespace egb::test
