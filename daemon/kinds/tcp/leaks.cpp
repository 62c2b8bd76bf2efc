// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/leaks.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"
#include "core/trend.hpp"
#include "kinds/tcp/evidence.hpp"
#include "kinds/tcp/tcp.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <ranges>
#include <span>

namespace egb::tcp {

namespace {

/// What growth is measured over.
constexpr Span window = std::chrono::minutes{10};
constexpr Span between_samples = std::chrono::seconds{10};

/// As long as a unit may take to stop, and a sweep to notice.
constexpr Span ended_by_asking = std::chrono::minutes{3};

Leaks::OwnerId id_of(const Process& owner) {
    return {owner.id.pid, owner.id.start_ticks};
}

constexpr std::string_view key_begins{"leak:"};

std::string name_of(const Process& owner) {
    return owner.unit.empty() ? formatted("{} (pid {})", owner.comm, owner.id.pid) : owner.unit;
}

} // namespace

Leaks::Share& Leaks::Tally::add(const ProcessPtr& owner, Instant since, SinceKind since_kind) {
    if (last_ == nullptr || last_->owner != owner) {
        last_ = &shares_[id_of(*owner)];
    }
    if (last_->stuck == 0 || since < last_->since) {
        last_->since = since;
        last_->since_kind = since_kind;
    }
    last_->owner = owner;
    ++last_->stuck;
    return *last_;
}

SharedText Leaks::key_of_leak(const Process& owner) const {
    const auto leak = leaks_.find(id_of(owner));
    return leak == leaks_.end() ? SharedText{} : leak->second.key;
}

void Leaks::note(const egb_tcp_owner& owner) {
    files_[{owner.pid, owner.start_ticks}] = {.open = owner.open_files, .limit = owner.file_limit};
}

/// A leak that is known ends later than one begins, or it would come and go with a single socket.
bool Leaks::is_leak(std::size_t forgotten, bool known) const {
    return after_ != 0 && (forgotten >= after_ || (known && forgotten * 2 >= after_));
}

/// A process of which nothing is stuck, and whose descriptors are no more to be found, has ended.
bool Leaks::goes_on(const OwnerId& id, const Share& share) const {
    const bool alive = share.stuck > 0 || files_.contains(id);
    return alive && is_leak(share.forgotten(), leaks_.contains(id));
}

/// Those that are stuck, and those that were.
Leaks::Shares Leaks::shares_of(const Tally& tally) const {
    Shares shares = tally.shares();
    for (const auto& [id, ended] : ended_) {
        Share& share = shares[id];
        for (const auto& some : ended.of_late) {
            share.ended += some.count;
        }
        share.ended_ever = ended.ever;
        share.in_bounds = share.in_bounds && ended.in_bounds;
        if (share.stuck == 0) {
            share.owner = ended.owner;
            share.since = ended.of_late.front().at;
        }
    }
    return shares;
}

void Leaks::forget_what_ended_before(Instant at) {
    std::erase_if(ended_, [at](auto& item) {
        auto& of_late = item.second.of_late;
        std::erase_if(of_late, [at](const Ended::Some& some) {
            return some.at < at;
        });
        return of_late.empty();
    });
}

std::vector<ProcessPtr> Leaks::owners_in(const Tally& tally) const {
    std::vector<ProcessPtr> owners;
    for (const auto& [id, share] : shares_of(tally)) {
        if (is_leak(share.forgotten(), leaks_.contains(id))) {
            owners.push_back(share.owner);
        }
    }
    return owners;
}

void Leaks::settle(const Tally& tally, Instant at, Changes& changes) {
    forget_what_ended_before(at - window);
    const Shares shares = shares_of(tally);
    drop_ended(shares, at, changes);
    for (const auto& [id, share] : shares) {
        if (goes_on(id, share)) {
            Leak& leak = leaks_[id];
            if (leak.key.empty()) {
                leak.key = formatted("{}{}@{}", key_begins, id.first, id.second);
            }
            update(leak, share, at);
            tell(leak, changes);
        }
    }
}

void Leaks::drop_ended(const Shares& shares, Instant at, Changes& changes) {
    std::erase_if(leaks_, [&](const auto& item) {
        const auto& [id, leak] = item;
        const auto share = shares.find(id);
        if (share != shares.end() && goes_on(id, share->second)) {
            return false;
        }
        const std::size_t stuck = share == shares.end() ? 0 : share->second.stuck;
        changes.vanished.push_back(
            {.key = std::string{leak.key},
             .reason = reason_of_end(stuck),
             .by_question = leak.asked != Instant{} && at - leak.asked < ended_by_asking});
        return true;
    });
}

std::string Leaks::reason_of_end(std::size_t stuck) const {
    if (after_ == 0) {
        return "its sockets are told of one by one again";
    }
    return stuck == 0 ? "none of its sockets is stuck any more"
                      : formatted("only {} of its sockets are still stuck", stuck);
}

void Leaks::update(Leak& leak, const Share& share, Instant at) {
    leak.share = share;
    const auto files = files_.find(id_of(*share.owner));
    leak.files = files == files_.end() ? std::nullopt : std::optional{files->second};
    std::erase_if(leak.samples, [at](const Sample& sample) {
        return at - sample.at > window;
    });
    const std::uint64_t forgotten = share.stuck + share.ended_ever;
    if (leak.samples.empty() || at - leak.samples.back().at >= between_samples) {
        leak.samples.push_back(
            {.at = at, .forgotten = forgotten, .open_files = leak.files.transform([](const Files& use) {
                 return use.open;
             })});
    }
}

Leaks::Outlook Leaks::outlook_of(const Leak& leak) {
    std::vector<egb::Sample> forgotten;
    std::vector<egb::Sample> open;
    for (const Sample& sample : leak.samples) {
        forgotten.push_back({.at = sample.at, .value = static_cast<double>(sample.forgotten)});
        if (sample.open_files) {
            open.push_back({.at = sample.at, .value = static_cast<double>(*sample.open_files)});
        }
    }
    Outlook outlook{.sockets_per_minute = std::lround(growth_per_minute(forgotten).value_or(0.0)),
                    .until_exhausted = {}};
    if (leak.files && leak.files->limit != UINT64_MAX) {
        // A socket that we have ended leaves its descriptor behind: what runs out is counted, not concluded.
        const double left = static_cast<double>(leak.files->limit) - static_cast<double>(leak.files->open);
        outlook.until_exhausted = lasts(left, growth_per_minute(open).value_or(0.0));
    }
    return outlook;
}

std::string Leaks::summary_of(const Leak& leak, const Outlook& outlook) {
    const auto name = name_of(*leak.share.owner);
    const auto per_minute = outlook.sockets_per_minute;
    const Share& share = leak.share;
    auto text = per_minute > 0 ? formatted("{} leaks {} socket{}/min: {} stuck", name, per_minute,
                                           per_minute == 1 ? "" : "s", share.stuck)
                               : formatted("{} holds {} stuck sockets", name, share.stuck);
    if (share.ended > 0) {
        text += formatted(", {} ended in {}", share.ended, format_span(window));
    }
    if (outlook.until_exhausted) {
        text += *outlook.until_exhausted > Span{}
                    ? formatted(", EMFILE in {}", format_span(*outlook.until_exhausted))
                    : ", EMFILE now";
    }
    return text;
}

std::vector<Evidence> Leaks::evidence_of(const Leak& leak, const Outlook& outlook) {
    std::vector<Evidence> evidence{{&leak_size, static_cast<std::int64_t>(leak.share.stuck)}};
    if (leak.share.ended > 0) {
        evidence.push_back({&leak_ended, static_cast<std::int64_t>(leak.share.ended)});
    }
    if (outlook.sockets_per_minute > 0) {
        evidence.push_back({&leak_growth, outlook.sockets_per_minute});
    }
    if (leak.files) {
        evidence.push_back({&descriptors, static_cast<std::int64_t>(leak.files->open)});
        if (leak.files->limit != UINT64_MAX) {
            evidence.push_back({&descriptor_limit, static_cast<std::int64_t>(leak.files->limit)});
        }
    }
    if (outlook.until_exhausted) {
        evidence.push_back({&exhaustion, outlook.until_exhausted->count()});
    }
    return evidence;
}

void Leaks::tell(Leak& leak, Changes& changes) const {
    const Outlook outlook = outlook_of(leak);
    auto summary = summary_of(leak, outlook);
    auto evidence = evidence_of(leak, outlook);
    const bool ripe = is_ripe(leak, outlook);
    if (summary == leak.summary && evidence == leak.evidence && ripe == leak.ripe) {
        return;
    }
    leak.ripe = ripe;
    leak.summary = std::move(summary);
    leak.evidence = std::move(evidence);
    changes.ghosts.push_back({
        .id = {},
        .kind = &info(),
        .key = std::string{leak.key},
        .grade = ripe ? Grade::proven : Grade::suspected,
        .summary = leak.summary,
        .since = leak.share.since,
        .since_kind = leak.share.since_kind,
        .holders = {{.process = leak.share.owner}},
        .evidence = leak.evidence,
        .reach = ripe ? Reach::cleans : Reach::reports,
        .sums_up = true,
    });
}

/// Something may be done to its unit: its end is near, it is what it has forgotten that takes it there, and
/// nobody has put any of that out of bounds.
bool Leaks::is_ripe(const Leak& leak, const Outlook& outlook) const {
    const Share& share = leak.share;
    return ripe_within_ && share.in_bounds && share.owner->unit.ends_with(".service") &&
           outlook.until_exhausted && *outlook.until_exhausted <= *ripe_within_ &&
           (share.sure + share.ended_ever) * 2 >= leak.files->open;
}

void Leaks::note_asked(const Process& owner, Instant at) {
    if (const auto leak = leaks_.find(id_of(owner)); leak != leaks_.end()) {
        leak->second.asked = at;
    }
}

const Leaks::Leak* Leaks::find(std::string_view key) const {
    if (!key.starts_with(key_begins)) {
        return nullptr; // asked of each of very many sockets
    }
    const auto leak = std::ranges::find_if(leaks_, [key](const auto& item) {
        return item.second.key == key;
    });
    return leak == leaks_.end() ? nullptr : &leak->second;
}

std::optional<std::uint64_t> Leaks::open_files_of(const Process& owner) const {
    const auto leak = leaks_.find(id_of(owner));
    if (leak == leaks_.end() || !leak->second.files) {
        return std::nullopt;
    }
    return leak->second.files->open;
}

ProcessPtr Leaks::owner_of(std::string_view key) const {
    const Leak* const leak = find(key);
    return leak == nullptr ? nullptr : leak->share.owner;
}

void Leaks::note_ended(const ProcessPtr& owner, Instant at, bool in_bounds) {
    Ended& ended = ended_[id_of(*owner)];
    ended.owner = owner;
    ended.in_bounds = ended.in_bounds && in_bounds;
    ++ended.ever;
    if (ended.of_late.empty() || at - ended.of_late.back().at >= between_samples) {
        ended.of_late.push_back({.at = at, .count = 0});
    }
    ++ended.of_late.back().count;
    if (const auto leak = leaks_.find(id_of(*owner)); leak != leaks_.end()) {
        ++leak->second.share.ended;
    }
}

bool Leaks::lose_one_of(const Process& owner) {
    const auto leak = leaks_.find(id_of(owner));
    if (leak == leaks_.end() || leak->second.share.stuck == 0) {
        return false;
    }
    Share& share = leak->second.share;
    --share.stuck;
    return share.stuck == 0 || !is_leak(share.forgotten(), true);
}

bool Leaks::has(const Process& owner) const {
    return leaks_.contains(id_of(owner));
}

Fields Leaks::describe(std::string_view key) const {
    const Leak* const leak = find(key);
    if (leak == nullptr) {
        return {};
    }
    const Share& share = leak->share;
    Fields fields{{"pid", std::int64_t{share.owner->id.pid}},
                  {"stuck_sockets", std::uint64_t{share.stuck}},
                  {"ended_sockets", std::uint64_t{share.ended}},
                  {"samples", std::uint64_t{leak->samples.size()}}};
    if (leak->files) {
        fields.push_back({"open_files", leak->files->open});
        fields.push_back({"file_limit", leak->files->limit});
    }
    return fields;
}

} // namespace egb::tcp
