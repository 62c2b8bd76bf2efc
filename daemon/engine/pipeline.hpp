// SPDX-License-Identifier: Apache-2.0
// Tracker -> Policy -> veto window -> Governor -> Cleaner -> Outcome -> Ledger, for every kind, in one place.
// Runs on the loop.
#pragma once

#include "core/clock.hpp"
#include "core/kind.hpp"
#include "engine/governor.hpp"
#include "engine/ledger.hpp"
#include "engine/policy.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace egb::engine {

/// A person's wish to have a ghost cleaned, beside or beyond the policy.
struct CleanRequest {
    std::string actor;              ///< for the record: "uid 1000"
    Grade least{Grade::proven};     ///< suspected: the person takes the blame for a mere suspicion
};

class Pipeline {
public:
    Pipeline(const Clock& clock, Governor& governor, Ledger& ledger);

    void add(Kind& kind, KindPolicy policy);

    /// Pending acts that the new policy would not begin are called off.
    void set_policy(std::string_view kind, KindPolicy policy);
    [[nodiscard]] const KindPolicy& policy(std::string_view kind) const;

    void set_health(std::string_view kind, Health health);
    [[nodiscard]] Health health(std::string_view kind) const;

    /// Does everything that is due: verdicts, acts whose veto window has passed. Ends with a flush.
    void tick();

    /// When tick() is next worth calling.
    [[nodiscard]] std::optional<Instant> deadline() const;

    /// Acts now, without a veto window but through governor and confirmation like any other act.
    Outcome clean(GhostId id, const CleanRequest& request);

    /// No act of policy on this ghost for so long, whatever its grade.
    Result<> hold(GhostId id, Span span);

    /// The same, and it is not reported either. An ignored ghost stays in the ledger, out of every list.
    Result<> ignore(GhostId id, Span span);

    [[nodiscard]] bool ignored(GhostId id) const;

    /// What the policy would do with this ghost at this moment, and why.
    [[nodiscard]] Decision decision(const Ghost& ghost) const;

private:
    struct Entry {
        Kind* kind{};
        KindPolicy policy;
        Health health{Health::whole};
    };

    struct Hold {
        Instant until;
        Action action{}; ///< report: held; ignore: ignored
    };

    void settle(Entry& entry);
    void consider(Entry& entry, const GhostPtr& ghost);
    void act_on_pending();
    Outcome act(Kind& kind, const GhostPtr& ghost, std::string_view actor);
    [[nodiscard]] Outcome attempt(Kind& kind, const Ghost& ghost);
    [[nodiscard]] const Hold* hold_on(GhostId id) const;
    Result<> set_hold(GhostId id, Span span, Action action);
    void forget_ended();

    const Clock& clock_;
    Governor& governor_;
    Ledger& ledger_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::map<GhostId, Instant> pending_; ///< ghosts announced, and when their veto window ends
    std::map<GhostId, Hold> holds_;
};

} // namespace egb::engine
