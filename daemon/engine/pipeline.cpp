// SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <span>
#include <stdexcept>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace egb::engine {

namespace {

/// So that a long queue leaves the loop room for others, and rings have room for what acts cause; what is
/// left is due at once.
constexpr int acts_per_tick = 50'000;
constexpr std::size_t told_per_tick = 1024;
/// No more is kept in memory than this: then acts wait.
constexpr std::size_t most_untold = 250'000;

/// A peer that has just gone may look alive for a while, so one answer does not end the questions; but one
/// that answers again and again is left alone.
constexpr std::array<Span, 4> asked_again_after{std::chrono::seconds{65}, std::chrono::minutes{5},
                                                std::chrono::minutes{30}, std::chrono::hours{2}};
/// For so long the answers are remembered.
constexpr Span asked_forgotten_after = std::chrono::hours{24};

/// So many new ghosts are acted upon before they are told of.
constexpr std::size_t worth_acting_first = 1'000;

/// Two sweeps may have told of the same: then it is the later word that counts.
std::unordered_set<std::string> repeated_keys(std::span<const Ghost> ghosts) {
    std::unordered_set<std::string_view> met;
    std::unordered_set<std::string> repeated;
    met.reserve(ghosts.size());
    for (const Ghost& ghost : ghosts) {
        if (!met.insert(ghost.key).second) {
            repeated.insert(ghost.key);
        }
    }
    return repeated;
}

bool is_act(Action action) {
    return action == Action::ask || action == Action::clean;
}

Outcome refused(std::string reason) {
    return {.verdict = Verdict::refused, .reason = std::move(reason)};
}

/// What a cleaner throws is an answer like any other; nothing of it gets past here.
template <typename Answer>
std::expected<Answer, std::string> guarded(const auto& call) {
    try {
        return call();
    } catch (const std::exception& error) {
        return std::unexpected(formatted("the cleaner broke off: {}", error.what()));
    }
}

} // namespace

Pipeline::Pipeline(const Clock& clock, Governor& governor, Ledger& ledger)
    : clock_{clock}, governor_{governor}, ledger_{ledger}, limits_seen_{governor.revision()} {}

void Pipeline::recall(std::vector<Hold> holds) {
    for (Hold& hold : holds) {
        if (!hold.of_all()) {
            holds_.set(std::move(hold.kind), std::move(hold.key), {.until = hold.until, .value = hold.action},
                       clock_.now());
        }
    }
    for (const auto& [id, ghost] : ledger_.ghosts()) {
        review(ghost);
    }
}

void Pipeline::add(Kind& kind, KindPolicy policy) {
    entries_.emplace(kind.info().name, Entry{.kind = &kind, .policy = policy});
}

template <typename Self>
auto& Pipeline::entry_in(Self& self, std::string_view kind) {
    const auto found = self.entries_.find(kind);
    if (found == self.entries_.end()) {
        throw std::out_of_range{formatted("no kind {} in the pipeline", kind)};
    }
    return found->second;
}

Pipeline::Entry& Pipeline::entry(std::string_view kind) {
    return entry_in(*this, kind);
}

const Pipeline::Entry& Pipeline::entry(std::string_view kind) const {
    return entry_in(*this, kind);
}

void Pipeline::set_policy(std::string_view kind, KindPolicy policy) {
    entry(kind).policy = policy;
    review_all(kind);
}

const KindPolicy& Pipeline::policy(std::string_view kind) const {
    return entry(kind).policy;
}

void Pipeline::set_health(std::string_view kind, Health health) {
    if (std::exchange(entry(kind).health, health) != health) {
        review_all(kind);
    }
}

Health Pipeline::health(std::string_view kind) const {
    return entry(kind).health;
}

void Pipeline::tick() {
    review_after_new_limits();
    int left = acts_per_tick;
    for (auto& [name, entry] : entries_) {
        settle(*entry.kind, left);
    }
    review_due();
    take_back_questions();
    act_on_due(left);
    const bool more_due = left == 0;
    ledger_.flush(more_due ? 0 : told_per_tick);
    left_over_ = more_due || ledger_.unflushed();
}

std::optional<Instant> Pipeline::deadline() const {
    const Instant now = clock_.now();
    if (ledger_.unflushed() || governor_.revision() != limits_seen_) {
        return now;
    }
    auto earliest = reviews_.next();
    const auto consider = [&earliest](std::optional<Instant> at) {
        if (at) {
            earliest = std::min(*at, earliest.value_or(end_of_time));
        }
    };
    for (const auto& [name, entry] : entries_) {
        consider(entry.kind->tracker().deadline());
    }
    if (const auto due = pending_.next()) {
        const Instant opens = governor_.opens_at(now);
        consider(opens > now ? std::max(*due, opens) : *due);
    }
    return earliest;
}

void Pipeline::settle(Kind& kind, int& left) {
    Changes changes = kind.tracker().tick(clock_.now());
    // A key may be in both: what stands in the place of what has ended.
    for (const Vanished& vanished : changes.vanished) {
        settle_vanished(kind.info(), vanished);
    }
    if (acts_at_once(kind) && !changes.ghosts.empty()) {
        ledger_.postpone();
        changes.ghosts = act_on_new(kind, std::move(changes.ghosts), left);
    }
    ledger_.make_room(kind.info().name, changes.ghosts.size());
    for (Ghost& ghost : changes.ghosts) {
        const auto entrance = to_be_ignored(ghost) ? Ledger::Entrance::hidden : Ledger::Entrance::told;
        review(ledger_.enter(std::move(ghost), entrance));
    }
}

/// Where nobody is given time to object, nothing that is told is in time for that.
bool Pipeline::acts_at_once(const Kind& kind) const {
    const KindPolicy& policy = entry(kind.info().name).policy;
    return policy.clean != CleanPolicy::never && policy.veto == Span::zero();
}

void Pipeline::settle_vanished(const KindInfo& kind, const Vanished& vanished) {
    const auto ghost = ledger_.find(kind.name, vanished.key);
    if (!ghost) {
        return;
    }
    const auto* asked = asked_.find(*ghost, clock_);
    if (vanished.by_question && asked != nullptr) {
        ledger_.acted(ghost, {.verdict = Verdict::cleaned, .reason = vanished.reason}, asked->value.actor);
    } else {
        ledger_.vanish(kind.name, vanished.key, vanished.reason);
    }
    forget(ghost->id);
}

/// Announces an act on the ghost, or calls one off, as the decision about it now stands.
void Pipeline::review(const GhostPtr& ghost) {
    const GhostId id = ghost->id;
    hide_or_show(*ghost);
    const auto again = next_review(*ghost);
    if (again) {
        reviews_.set(id, *again);
    } else {
        reviews_.erase(id);
    }

    Decision licensed = licence(*ghost);
    if (!is_act(licensed.action)) {
        take_back_question(ghost);
    }
    const Decision permitted = with_patience(*ghost, std::move(licensed));
    if (!is_act(permitted.action)) {
        call_off(ghost, permitted.reason);
    } else if (!pending_.contains(id) && !again) {
        announce(ghost, permitted.action);
    }
}

void Pipeline::review_all(std::string_view kind) {
    for (const auto& [id, ghost] : ledger_.ghosts()) {
        if (ghost->kind->name == kind) {
            review(ghost);
        }
    }
}

void Pipeline::review_after_new_limits() {
    if (std::exchange(limits_seen_, governor_.revision()) != governor_.revision()) {
        for (const auto& [id, ghost] : ledger_.ghosts()) {
            review(ghost);
        }
    }
}

void Pipeline::review_due() {
    while (const auto id = reviews_.due(clock_.now())) {
        review(ledger_.find(*id));
    }
}

/// Of very many, what is gone in a moment is not listed before: that would take as long as the act. Hands
/// back what it leaves to the long way: all of a few, so that what is told comes before what is done.
std::vector<Ghost> Pipeline::act_on_new(Kind& kind, std::vector<Ghost> ghosts, int& left) {
    const Instant now = clock_.now();
    if (ghosts.size() < worth_acting_first || pending_.due(now)) {
        return ghosts;
    }
    const auto repeated = repeated_keys(ghosts);
    std::vector<Ghost> others;
    Batches batches;
    for (Ghost& ghost : ghosts) {
        const bool is_one = may_act_now(left) && !repeated.contains(ghost.key);
        const auto action = is_one ? wanted_at_once(ghost, now) : std::nullopt;
        if (action) {
            --left;
            enlist(batches, kind, ledger_.give_id(std::move(ghost)), *action);
        } else {
            others.push_back(std::move(ghost));
        }
    }
    act_on_all(batches);
    return others;
}

/// Nothing when it is known, or when anything stands between it and an act. What sums up others is judged
/// when all of these are listed.
std::optional<Action> Pipeline::wanted_at_once(const Ghost& ghost, Instant now) const {
    if (ghost.sums_up || ledger_.find(ghost.kind->name, ghost.key) || next_review(ghost) ||
        governor_.opens_at(ghost, now) > now) {
        return std::nullopt;
    }
    const Decision permitted = permission(ghost);
    return is_act(permitted.action) ? std::optional{permitted.action} : std::nullopt;
}

bool Pipeline::may_act_now(int left) const {
    return left > 0 && ledger_.untold() < most_untold;
}

void Pipeline::act_on_due(int& left) {
    const Instant now = clock_.now();
    Batches batches;
    for (; may_act_now(left) && governor_.opens_at(now) <= now; --left) {
        const auto id = pending_.due(now);
        if (!id) {
            break;
        }
        const GhostPtr ghost = ledger_.find(*id);
        if (const Instant opens = governor_.opens_at(*ghost, now); opens > now) {
            pending_.set(*id, opens);
            continue;
        }
        // The world may have changed since the announcement in a way that nobody told us of.
        const Decision permitted = permission(*ghost);
        if (!is_act(permitted.action)) {
            call_off(ghost, permitted.reason);
            continue;
        }
        enlist(batches, *entry(ghost->kind->name).kind, ghost, permitted.action);
    }
    act_on_all(batches);
}

void Pipeline::enlist(Batches& batches, Kind& kind, const GhostPtr& ghost, Action action) {
    constexpr std::string_view actor = "policy";
    if (!confirm(kind, ghost, actor)) {
        return;
    }
    Batch& batch = batches[{kind.info().name, action}];
    batch.kind = &kind;
    batch.action = action;
    batch.actor = actor;
    batch.ghosts.push_back(ghost);
}

void Pipeline::act_on_all(const Batches& batches) {
    if (!batches.empty()) {
        ledger_.postpone();
    }
    for (const auto& [what, batch] : batches) {
        [[maybe_unused]] const auto told = act(batch);
    }
}

void Pipeline::announce(const GhostPtr& ghost, Action action) {
    const Span veto = entry(ghost->kind->name).policy.veto;
    ledger_.pending(ghost, action, veto);
    pending_.set(ghost->id, later(clock_.now(), veto));
}

void Pipeline::call_off(const GhostPtr& ghost, std::string_view reason) {
    if (pending_.contains(ghost->id)) {
        pending_.erase(ghost->id);
        ledger_.acted(ghost, refused(formatted("called off: {}", reason)), "policy");
    }
}

/// A question that was put by what is called off now is not left to itself.
void Pipeline::take_back_question(const GhostPtr& ghost) {
    if (const auto* mark = asked_.find(*ghost, clock_); mark != nullptr && !mark->value.taken_back) {
        auto taken_back = *mark;
        taken_back.value.taken_back = true;
        asked_.set(*ghost, taken_back, clock_.now());
        to_take_back_[ghost->kind->name].push_back(ghost);
    }
}

void Pipeline::take_back_questions() {
    for (const auto& [kind, ghosts] : std::exchange(to_take_back_, {})) {
        entry(kind).kind->cleaner()->take_back(ghosts);
    }
}

Decision Pipeline::decision(const Ghost& ghost) const {
    Decision decision = permission(ghost);
    if (!is_act(decision.action)) {
        return decision;
    }
    const Instant now = clock_.now();
    if (const auto due = pending_.when(ghost.id); due && *due > now) {
        decision.reason += formatted("; announced, to be done in {}", format_span(*due - now));
    }
    if (const auto admitted = governor_.admit(ghost, now); !admitted) {
        decision.reason += formatted("; it has to wait: {}", admitted.error().message);
    }
    return decision;
}

/// What a person has decided about the ghost, as long as that lasts.
std::optional<Decision> Pipeline::hold_on(const Ghost& ghost) const {
    const auto* hold = holds_.find(ghost, clock_);
    if (hold == nullptr) {
        return ghost.sums_up ? hold_on_member(ghost) : std::nullopt;
    }
    const Span left = hold->until == end_of_time ? forever : hold->until - clock_.now();
    const bool ignored = hold->value == Action::ignore;
    return Decision{.action = hold->value,
                    .reason =
                        formatted("{} for another {}", ignored ? "ignored" : "held", format_span(left))};
}

/// An act on the whole would reach each of those that it stands for.
std::optional<Decision> Pipeline::hold_on_member(const Ghost& summary) const {
    if (holds_.size() == 0) {
        return std::nullopt; // mostly; and there may be very many to look at
    }
    for (const auto& [id, ghost] : ledger_.ghosts()) {
        if (is_member(*ghost, summary) && holds_.find(*ghost, clock_) != nullptr) {
            return Decision{.action = Action::report,
                            .reason = formatted("ghost {}, for which it stands too, is held", id)};
        }
    }
    return std::nullopt;
}

Decision Pipeline::licence(const Ghost& ghost) const {
    if (auto held = hold_on(ghost)) {
        return *std::move(held);
    }
    const Entry& entry = this->entry(ghost.kind->name);
    Decision decision = decide(ghost, entry.policy, entry.health);
    if (!is_act(decision.action)) {
        return decision;
    }
    const Action act = std::exchange(decision.action, Action::report);
    if (entry.kind->cleaner() == nullptr) {
        decision.reason = formatted("the kind {} cannot clean on this machine", ghost.kind->name);
    } else if (governor_.limits().paused) {
        decision.reason = "all acts are paused";
    } else if (auto why = governor_.protection(ghost)) {
        decision.reason = *std::move(why);
    } else {
        decision.action = act;
    }
    return decision;
}

/// The decision without its appointments: whether there is anything but time between this ghost and an act.
Decision Pipeline::permission(const Ghost& ghost) const {
    return with_patience(ghost, licence(ghost));
}

/// Nobody is asked too often.
Decision Pipeline::with_patience(const Ghost& ghost, Decision decision) const {
    if (is_act(decision.action)) {
        if (auto enough = asked_enough(ghost, decision.action)) {
            decision = {.action = Action::report, .reason = *std::move(enough)};
        }
    }
    return decision;
}

/// Why a ghost is not asked now; nothing when it may be.
std::optional<std::string> Pipeline::asked_enough(const Ghost& ghost, Action wanted) const {
    const auto* mark = asked_.find(ghost, clock_);
    if (mark == nullptr) {
        return std::nullopt;
    }
    const Instant now = clock_.now();
    const Asked& asked = mark->value;
    if (asked.next <= now || wanted > asked.wanted) {
        return std::nullopt;
    }
    const std::string ago = format_span(now - asked.last);
    if (asked.next == end_of_time) {
        return formatted("it was asked {} times, the last time {} ago, and still is: it is left alone",
                         asked.times, ago);
    }
    return formatted("it was asked {} ago, and will be asked again in {}", ago,
                     format_span(asked.next - now));
}

Outcome Pipeline::clean(GhostId id, const CleanRequest& request) {
    const GhostPtr ghost = ledger_.find(id);
    if (!ghost) {
        return refused(formatted("there is no ghost {}, or no longer", id));
    }
    const Entry& entry = this->entry(ghost->kind->name);
    const auto admitted = admit(entry, *ghost, request);
    if (!admitted) {
        auto outcome = refused(admitted.error().message);
        ledger_.acted(ghost, outcome, request.actor);
        return outcome;
    }
    if (const auto told = confirm(*entry.kind, ghost, request.actor); !told) {
        return told.error();
    }
    return act({.kind = entry.kind, .action = *admitted, .actor = request.actor, .ghosts = {ghost}}).front();
}

Result<Action> Pipeline::admit(const Entry& entry, const Ghost& ghost, const CleanRequest& request) const {
    if (entry.kind->cleaner() == nullptr) {
        return fail(ErrorCode::unsupported, "the kind {} only reports", ghost.kind->name);
    }
    if (ghost.reach == Reach::reports) {
        return fail(ErrorCode::unsupported, "such a ghost is only ever reported");
    }
    if (const auto held = hold_on(ghost)) {
        return fail(ErrorCode::denied, "{}", held->reason);
    }
    const bool enough = request.least == Grade::suspected || ghost.grade == Grade::proven;
    if (!enough && !ghost.askable) {
        return fail(ErrorCode::denied, "it is only suspected, and only what is proven was to be cleaned");
    }
    if (request.least != Grade::suspected && entry.health == Health::lossy) {
        return fail(ErrorCode::lost, "events were lost, so its proof is in doubt before a whole sweep");
    }
    return governor_.admit(ghost, clock_.now()).transform([&] {
        return enough ? Action::clean : Action::ask;
    });
}

/// A ghost that is not confirmed is dealt with here; one that is counts as an act from now on.
std::expected<void, Outcome> Pipeline::confirm(Kind& kind, const GhostPtr& ghost, std::string_view actor) {
    pending_.erase(ghost->id);
    const auto confirmed = guarded<Result<>>([&] {
        return kind.cleaner()->confirm(*ghost);
    });
    if (!confirmed) {
        return std::unexpected(conclude(ghost, {.verdict = Verdict::failed, .reason = confirmed.error()},
                                        Action::report, actor));
    }
    if (!*confirmed) {
        const Error& error = confirmed->error();
        const bool gone = error.code == ErrorCode::not_found;
        return std::unexpected(
            conclude(ghost, {.verdict = gone ? Verdict::gone : Verdict::refused, .reason = error.message},
                     Action::report, actor));
    }
    governor_.note_act(*ghost, clock_.now());
    return {};
}

std::vector<Outcome> Pipeline::act(const Batch& batch) {
    std::vector<Act> acts;
    acts.reserve(batch.ghosts.size());
    for (const GhostPtr& ghost : batch.ghosts) {
        acts.emplace_back(ghost, [&](const GhostPtr& what, const Outcome& outcome) {
            conclude(what, outcome, batch.action, batch.actor);
        });
    }
    Cleaner& cleaner = *batch.kind->cleaner();
    const auto answer = guarded<std::vector<Outcome>>([&] {
        return batch.action == Action::ask ? cleaner.ask(batch.ghosts) : cleaner.clean(batch.ghosts);
    });
    auto outcomes = answer.value_or(std::vector<Outcome>{});
    outcomes.resize(batch.ghosts.size(),
                    {.verdict = Verdict::failed,
                     .reason = answer ? "the cleaner did not say what came of it" : answer.error()});
    for (std::size_t at = 0; at < acts.size(); ++at) {
        acts[at].finish(outcomes[at]);
    }
    return outcomes;
}

Outcome Pipeline::conclude(const GhostPtr& ghost, Outcome outcome, Action wanted, std::string_view actor) {
    if (outcome.verdict == Verdict::asked) {
        note_asked(*ghost, wanted, actor);
    }
    ledger_.acted(ghost, outcome, actor);
    switch (outcome.verdict) {
    case Verdict::cleaned:
    case Verdict::gone:
        forget(ghost->id);
        break;
    case Verdict::refused:
    case Verdict::failed:
        governor_.note_failure(*ghost, clock_.now());
        review(ghost);
        break;
    case Verdict::asked:
        review(ghost);
        break;
    }
    return outcome;
}

void Pipeline::note_asked(const Ghost& ghost, Action wanted, std::string_view actor) {
    const Instant now = clock_.now();
    const auto* before = asked_.find(ghost, now);
    const unsigned times = before == nullptr ? 0 : before->value.times;
    const Instant next = times < asked_again_after.size() ? now + asked_again_after.at(times) : end_of_time;
    asked_.set(
        ghost,
        {.until = now + asked_forgotten_after,
         .value =
             {.times = times + 1, .last = now, .next = next, .actor = std::string{actor}, .wanted = wanted}},
        now);
}

Result<> Pipeline::hold(GhostId id, Span span) {
    return set_hold(id, span, Action::report);
}

Result<> Pipeline::ignore(GhostId id, Span span) {
    return set_hold(id, span, Action::ignore);
}

Result<> Pipeline::set_hold(GhostId id, Span span, Action action) {
    const GhostPtr ghost = ledger_.find(id);
    if (!ghost) {
        return fail(ErrorCode::not_found, "there is no ghost {}, or no longer", id);
    }
    if (span < Span::zero()) {
        return fail(ErrorCode::invalid, "nothing can be held for less than no time");
    }
    const Instant now = clock_.now();
    const Instant until = later(now, span);
    holds_.set(*ghost, {.until = until, .value = action}, now);
    if (hold_store_ != nullptr) {
        hold_store_->keep(
            {.kind = std::string{ghost->kind->name}, .key = ghost->key, .action = action, .until = until});
    }
    review(ghost);
    take_back_questions();
    return {};
}

void Pipeline::hide_or_show(const Ghost& ghost) {
    if (to_be_ignored(ghost)) {
        ledger_.hide(ghost.id);
    } else {
        ledger_.show(ghost.id);
    }
}

bool Pipeline::to_be_ignored(const Ghost& ghost) const {
    const auto* hold = holds_.find(ghost, clock_);
    return hold != nullptr && hold->value == Action::ignore;
}

/// When the decision about a ghost changes by itself, because a hold or a cooldown ends.
std::optional<Instant> Pipeline::next_review(const Ghost& ghost) const {
    const Instant now = clock_.now();
    std::optional<Instant> next;
    if (const Instant cool = governor_.cool_at(ghost, now); cool > now) {
        next = cool;
    }
    if (const auto* hold = holds_.find(ghost, now)) {
        next = std::min(hold->until, next.value_or(end_of_time));
    }
    const auto* asked = asked_.find(ghost, now);
    if (asked != nullptr && asked->value.next > now &&
        (ghost.grade != Grade::proven || asked->value.wanted == Action::clean)) {
        next = std::min(std::min(asked->value.next, asked->until), next.value_or(end_of_time));
    }
    return next;
}

void Pipeline::forget(GhostId id) {
    pending_.erase(id);
    reviews_.erase(id);
}

} // namespace egb::engine
