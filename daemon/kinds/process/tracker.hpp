// SPDX-License-Identifier: Apache-2.0
// From dead children to ghosts: one for each parent that does not wait.
#pragma once

#include "core/option.hpp"
#include "core/tracker.hpp"
#include "core/trend.hpp"
#include "kinds/process/record.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::process {

class ZombieTracker final : public Tracker {
public:
    /// How long a process may stay dead. Counts from the next sweep on.
    void set_after(Span after) { after_ = after; }

    /// Whether parents are told again at all.
    void set_nudge(bool wanted) { nudge_ = wanted; }

    /// How soon there must be no room for more for something to be done to the parent's unit; nothing: none
    /// ever is.
    void set_ripe_within(std::optional<Span> span) { ripe_within_ = span; }

    void observe(const Sighting& sighting) override;
    [[nodiscard]] Changes tick(Instant now) override;
    [[nodiscard]] std::optional<Instant> deadline() const override { return deadline_; }
    [[nodiscard]] std::size_t tracked() const override { return dead_; }
    [[nodiscard]] Facts facts(std::string_view key) const override;

    /// One of those that a parent does not wait for.
    struct Zombie {
        std::int32_t pid{};
        std::uint64_t start_ticks{};
        std::string comm;
        int wait_status{};
        Instant died;
        std::uint32_t flags{};
    };

    /// The parent behind a ghost; nothing when it is no more one.
    [[nodiscard]] ProcessPtr parent_of(std::string_view key) const;
    /// Those that it had not waited for when it was last judged, the longest dead first.
    [[nodiscard]] const std::vector<Zombie>& zombies_of(std::string_view key) const;

    /// Parents that were told of and that the sweep under way has not met.
    [[nodiscard]] std::vector<ProcessPtr> missing() const;

    /// Look soon: what was judged is no longer so.
    void look_again(Instant now) { deadline_ = now; }

private:
    /// What a sweep has found.
    struct Found {
        ProcessPtr parent;
        ParentRecord facts{};
        std::vector<Zombie> zombies; ///< those that have been dead for long enough
    };

    struct Parent {
        Found found;
        Instant told; ///< when it was told again; the epoch when it was not
        std::set<std::pair<std::int32_t, std::uint64_t>> told_of; ///< the zombies that it had then
        bool ended{};
        std::vector<Sample> samples; ///< of the number of zombies, the oldest first
        std::optional<Ghost> ghost;  ///< as last told
    };

    /// What is to be expected of a parent.
    struct Outlook {
        std::int64_t per_minute{};
        std::optional<Span> until_full;
    };

    using Key = std::pair<std::int32_t, std::uint64_t>;

    /// Who has got a zombie from its own parent, and when.
    struct Heir {
        Key parent;
        Instant since;
        bool met{};
    };

    [[nodiscard]] Instant concerns_since(const ZombieRecord& record, const Sighting& sighting);
    void see(const Sighting& sighting);
    void hold(const Sighting& sighting);
    void end_sweep(Instant at);
    void drop_unmet(Instant at);
    void meet(Parent& parent, Found found, Instant at);
    static void doubt(Parent& parent);
    void plan(Instant at);
    void judge(Parent& parent, Instant at);
    [[nodiscard]] static Outlook outlook_of(const Parent& parent);
    [[nodiscard]] std::vector<Evidence> evidence_of(const Parent& parent, const Outlook& outlook,
                                                    Instant at) const;
    [[nodiscard]] bool has_been_told(const Parent& parent, Instant at) const;
    [[nodiscard]] bool may_be_told(const Parent& parent) const;
    [[nodiscard]] bool is_ripe(const Parent& parent, const Outlook& outlook) const;
    [[nodiscard]] const Parent* find(std::string_view key) const;

    Span after_{};
    bool nudge_{true};
    std::optional<Span> ripe_within_;
    std::map<Key, Found> met_; ///< by the sweep under way
    std::map<Key, Parent> parents_;
    std::map<Key, Heir> inherited_;     ///< by zombie
    std::size_t dead_{};                ///< all that the last sweep has met
    std::size_t dead_met_{};            ///< by the sweep under way
    Instant next_overdue_{end_of_time}; ///< of those that the sweep has met
    std::optional<Instant> deadline_;
    Changes changes_;
};

} // namespace egb::process
