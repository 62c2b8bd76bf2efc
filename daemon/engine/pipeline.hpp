// SPDX-License-Identifier: Apache-2.0
// Tracker -> Policy -> veto window -> Governor -> Cleaner -> Outcome -> Ledger, for every kind, in one place.
// Runs on the loop; a tick takes time for what has changed or is due, not for what is known.
#pragma once

#include "core/clock.hpp"
#include "core/kind.hpp"
#include "engine/agenda.hpp"
#include "engine/governor.hpp"
#include "engine/hold_store.hpp"
#include "engine/ledger.hpp"
#include "engine/marks.hpp"
#include "engine/policy.hpp"

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb::engine {

/// A person's wish to have a ghost cleaned, beside or beyond the policy.
struct CleanRequest {
    std::string actor;          ///< for the record: "uid 1000"
    Grade least{Grade::proven}; ///< suspected: the person takes the blame for a mere suspicion
};

class Pipeline {
public:
    Pipeline(const Clock& clock, Governor& governor, Ledger& ledger);

    /// Holds are kept there from now on. The store must outlive it.
    void keep_holds_in(HoldStore& store) { hold_store_ = &store; }

    /// What a store has kept counts from now on.
    void recall(std::vector<Hold> holds);

    void add(Kind& kind, KindPolicy policy);

    /// Pending acts that the new policy would not begin are called off.
    void set_policy(std::string_view kind, KindPolicy policy);
    [[nodiscard]] const KindPolicy& policy(std::string_view kind) const;

    /// A kind that has become lossy has its pending acts called off, and begins no new one before it is
    /// whole.
    void set_health(std::string_view kind, Health health);
    [[nodiscard]] Health health(std::string_view kind) const;

    /// Does everything that is due: verdicts, acts whose veto window has passed. Ends with a flush.
    void tick();

    /// The last tick() has come to the limit of what one does, and the next need not wait.
    [[nodiscard]] bool left_over() const { return left_over_; }

    /// When tick() is next worth calling; in the past when it has not come to the end of what was due.
    [[nodiscard]] std::optional<Instant> deadline() const;

    /// Acts now, without a veto window but through governor and confirmation like any other act. Refused when
    /// the ghost is unknown or held, when its kind only reports, and when it is less than `least`; what lost
    /// events have put in doubt is not more than suspected. One that is less and can be asked is asked.
    Outcome clean(GhostId id, const CleanRequest& request);

    /// No act on this ghost for so long, whatever its grade, and should it go and come again meanwhile. In
    /// place of an earlier hold or ignore; for no time at all, it ends that.
    Result<> hold(GhostId id, Span span);

    /// The same, and it is not reported either. An ignored ghost stays in the ledger, out of every list.
    Result<> ignore(GhostId id, Span span);

    [[nodiscard]] bool ignored(GhostId id) const { return ledger_.hidden(id); }

    /// What the policy would do with this ghost at this moment, and why.
    [[nodiscard]] Decision decision(const Ghost& ghost) const;

private:
    struct Entry {
        Kind* kind{};
        KindPolicy policy;
        Health health{Health::whole};
    };

    template <typename Self>
    [[nodiscard]] static auto& entry_in(Self& self, std::string_view kind);
    [[nodiscard]] Entry& entry(std::string_view kind);
    [[nodiscard]] const Entry& entry(std::string_view kind) const;

    /// What happened to the question that a ghost was asked.
    struct Asked {
        unsigned times{};
        Instant last;
        Instant next;
        std::string actor;
        Action wanted{};   ///< clean: its cleaner can do no more than ask
        bool taken_back{}; ///< because nothing was to be done to it any more
    };

    /// What is done in one go: ghosts of one kind, by the same act.
    struct Batch {
        Kind* kind{};
        Action action{};
        std::string actor;
        std::vector<GhostPtr> ghosts;
    };

    using Batches = std::map<std::pair<std::string_view, Action>, Batch>;

    void settle(Kind& kind, int& left);
    void settle_vanished(const KindInfo& kind, const Vanished& vanished);
    void review(const GhostPtr& ghost);
    void review_all(std::string_view kind);
    void review_after_new_limits();
    void review_due();
    [[nodiscard]] bool acts_at_once(const Kind& kind) const;
    [[nodiscard]] std::vector<Ghost> act_on_new(Kind& kind, std::vector<Ghost> ghosts, int& left);
    [[nodiscard]] std::optional<Action> wanted_at_once(const Ghost& ghost, Instant now) const;
    /// As far as this tick goes, of which so many acts are left.
    [[nodiscard]] bool may_act_now(int left) const;
    void act_on_due(int& left);
    void act_on_all(const Batches& batches);
    void announce(const GhostPtr& ghost, Action action);
    void call_off(const GhostPtr& ghost, std::string_view reason);
    void take_back_question(const GhostPtr& ghost);
    void take_back_questions();

    [[nodiscard]] std::optional<Decision> hold_on(const Ghost& ghost) const;
    [[nodiscard]] std::optional<Decision> hold_on_member(const Ghost& summary) const;
    /// As far as policy, people and governor have a say; whether it has been asked enough is left out.
    [[nodiscard]] Decision licence(const Ghost& ghost) const;
    [[nodiscard]] Decision permission(const Ghost& ghost) const;
    [[nodiscard]] Decision with_patience(const Ghost& ghost, Decision decision) const;
    /// Which act the request comes to; an error when it comes to none.
    [[nodiscard]] Result<Action> admit(const Entry& entry, const Ghost& ghost,
                                       const CleanRequest& request) const;
    [[nodiscard]] std::optional<std::string> asked_enough(const Ghost& ghost, Action wanted) const;
    [[nodiscard]] std::expected<void, Outcome> confirm(Kind& kind, const GhostPtr& ghost,
                                                       std::string_view actor);
    /// Into the batch of its kind and act, by policy, if it is confirmed.
    void enlist(Batches& batches, Kind& kind, const GhostPtr& ghost, Action action);
    [[nodiscard]] std::vector<Outcome> act(const Batch& batch);
    Outcome conclude(const GhostPtr& ghost, Outcome outcome, Action wanted, std::string_view actor);
    void note_asked(const Ghost& ghost, Action wanted, std::string_view actor);

    Result<> set_hold(GhostId id, Span span, Action action);
    void hide_or_show(const Ghost& ghost);
    [[nodiscard]] bool to_be_ignored(const Ghost& ghost) const;
    [[nodiscard]] std::optional<Instant> next_review(const Ghost& ghost) const;
    void forget(GhostId id);

    const Clock& clock_;
    Governor& governor_;
    Ledger& ledger_;
    std::map<std::string, Entry, std::less<>> entries_;
    Marks<Action> holds_; ///< report: held; ignore: ignored
    HoldStore* hold_store_{};
    Marks<Asked> asked_;
    std::map<std::string_view, std::vector<GhostPtr>> to_take_back_; ///< by kind
    Agenda pending_; ///< ghosts whose act is announced, and when it may be done
    Agenda reviews_; ///< ghosts to be decided upon again, when a hold or a cooldown ends
    std::uint64_t limits_seen_;
    bool left_over_{};
};

} // namespace egb::engine
