// SPDX-License-Identifier: Apache-2.0
// The leak behind many stuck sockets: one ghost that stands for all those of one process, with how fast they
// grow and when its descriptors run out. Those that have been ended count for a while, too: what they leave
// behind is the leak. Part of the tracker, and as pure.
#pragma once

#include "core/tracker.hpp"

#include "bpf/tcp.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::tcp {

class Leaks {
public:
    /// A pid and the start time of its process.
    using OwnerId = std::pair<std::int32_t, std::uint64_t>;

    /// The stuck sockets of one process.
    struct Share {
        ProcessPtr owner;
        std::size_t stuck{};
        std::size_t ended{}; ///< of late, other than by the process itself
        std::uint64_t ended_ever{};
        std::uint64_t sure{}; ///< of those that are stuck: nothing speaks for them
        Instant since;        ///< the earliest
        SinceKind since_kind{SinceKind::observed};
        bool in_bounds{true}; ///< each of them

        [[nodiscard]] std::size_t forgotten() const { return stuck + ended; }
    };

    /// Stuck sockets by who holds them.
    class Tally {
    public:
        Tally() = default;
        ~Tally() = default;
        Tally(Tally&&) = default;
        Tally& operator=(Tally&&) = default;
        Tally(const Tally&) = delete; // last_ is of this one
        Tally& operator=(const Tally&) = delete;

        /// Counts one more of them, and is the share that it belongs to.
        Share& add(const ProcessPtr& owner, Instant since, SinceKind since_kind);
        [[nodiscard]] const std::map<OwnerId, Share>& shares() const { return shares_; }

    private:
        std::map<OwnerId, Share> shares_;
        Share* last_{}; ///< sockets of one process mostly come one after the other
    };

    /// From how many on it is a leak; 0: never.
    void set_after(std::uint64_t sockets) { after_ = sockets; }

    /// How soon its descriptors must run out for something to be done to its unit; nothing: none ever is.
    void set_ripe_within(std::optional<Span> span) { ripe_within_ = span; }

    void begin_sweep() { files_.clear(); }

    /// How many descriptors a process has, by this sweep.
    void note(const egb_tcp_owner& owner);

    /// Who leaks by this tally.
    [[nodiscard]] std::vector<ProcessPtr> owners_in(const Tally& tally) const;

    /// What a whole sweep has counted is so.
    void settle(const Tally& tally, Instant at, Changes& changes);

    /// One of its sockets was ended, and not by the process itself: its descriptor is still there.
    void note_ended(const ProcessPtr& owner, Instant at, bool in_bounds);

    /// One of its sockets is no more. True when none is left, or too few for a leak.
    [[nodiscard]] bool lose_one_of(const Process& owner);

    /// Its unit is being seen to: what ends soon after that has ended by it.
    void note_asked(const Process& owner, Instant at);

    [[nodiscard]] bool has(const Process& owner) const;
    /// The key of the ghost that stands for this process's sockets; empty while it is no leak.
    [[nodiscard]] SharedText key_of_leak(const Process& owner) const;
    /// Who a summary is about; nothing when there is none of this key.
    [[nodiscard]] ProcessPtr owner_of(std::string_view key) const;
    /// How many descriptors it had at the last sweep.
    [[nodiscard]] std::optional<std::uint64_t> open_files_of(const Process& owner) const;
    [[nodiscard]] bool any() const { return !leaks_.empty(); }
    [[nodiscard]] Fields describe(std::string_view key) const;

private:
    using Shares = std::map<OwnerId, Share>;

    /// How many there were, once: with all that had been ended by then.
    struct Sample {
        Instant at;
        std::uint64_t forgotten{};
        std::optional<std::uint64_t> open_files;
    };

    struct Files {
        std::uint64_t open{};
        std::uint64_t limit{};
    };

    /// What was ended of one process.
    struct Ended {
        struct Some {
            Instant at;
            std::size_t count{};
        };

        ProcessPtr owner;
        std::vector<Some> of_late; ///< the oldest first
        std::uint64_t ever{};      ///< since the oldest that was counted
        bool in_bounds{true};      ///< each of them
    };

    struct Leak {
        SharedText key; ///< each of its sockets is told whose it is
        Share share;
        std::optional<Files> files;
        std::vector<Sample> samples; ///< the oldest first
        Instant asked;               ///< when its unit was last seen to
        bool ripe{};                 ///< as last told
        std::string summary;         ///< as last told
        std::vector<Evidence> evidence;
    };

    /// What the samples say. Nothing is said of what they are too few for.
    struct Outlook {
        std::int64_t sockets_per_minute{};
        std::optional<Span> until_exhausted;
    };

    [[nodiscard]] bool is_leak(std::size_t forgotten, bool known) const;
    [[nodiscard]] bool goes_on(const OwnerId& id, const Share& share) const;
    [[nodiscard]] const Leak* find(std::string_view key) const;
    [[nodiscard]] Shares shares_of(const Tally& tally) const;
    void forget_what_ended_before(Instant at);
    [[nodiscard]] std::string reason_of_end(std::size_t stuck) const;
    [[nodiscard]] bool is_ripe(const Leak& leak, const Outlook& outlook) const;
    void drop_ended(const Shares& shares, Instant at, Changes& changes);
    void update(Leak& leak, const Share& share, Instant at);
    void tell(Leak& leak, Changes& changes) const;
    [[nodiscard]] static Outlook outlook_of(const Leak& leak);
    [[nodiscard]] static std::string summary_of(const Leak& leak, const Outlook& outlook);
    [[nodiscard]] static std::vector<Evidence> evidence_of(const Leak& leak, const Outlook& outlook);

    std::uint64_t after_{};
    std::optional<Span> ripe_within_;
    std::map<OwnerId, Files> files_; ///< of the sweep under way
    std::map<OwnerId, Ended> ended_;
    std::map<OwnerId, Leak> leaks_;
};

} // namespace egb::tcp
