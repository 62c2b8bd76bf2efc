// SPDX-License-Identifier: Apache-2.0
// From locks to ghosts: one whose owners are all dead is a ghost, and proven when nothing speaks against it.
#pragma once

#include "core/tracker.hpp"
#include "kinds/lockfile/record.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::lockfile {

class LockTracker final : public Tracker {
public:
    /// How long nobody may own it.
    void set_after(Span after, Instant now);

    /// When this daemon began, which is what makes it differ from another.
    void stagger_from(Instant begun);

    void observe(const Sighting& sighting) override;
    [[nodiscard]] Changes tick(Instant now) override;
    [[nodiscard]] std::optional<Instant> deadline() const override;
    [[nodiscard]] std::size_t tracked() const override { return locks_.size(); }
    [[nodiscard]] Facts facts(std::string_view key) const override;

    /// Those that become ghosts by then, if they are as they were: to be looked at once more before.
    [[nodiscard]] std::vector<std::string> due(Instant by) const;

    /// Something is still to be looked at, and a sweep would be welcome then.
    void look_again(std::optional<Instant> at) { look_again_ = at; }

private:
    struct Lock {
        SeenLock seen;
        Instant seen_at{};
        ProcessPtr creator;
        std::optional<Instant> due{}; ///< when it is to be judged; in the agenda, too
        bool is_told{};
        Ghost told{}; ///< as it was last told; means something when it was
    };

    using Agenda = std::set<std::pair<Instant, std::string>>;

    void see(const Sighting& sighting, SeenLock seen);
    void forget(const SeenLock& seen);
    void plan(const std::string& key, Lock& lock, std::optional<Instant> due);
    void plan_anew(const std::string& key, Lock& lock, Instant now);
    void let_go(const std::string& key, Lock& lock, std::string reason);
    [[nodiscard]] std::optional<Instant> due_of(const Lock& lock) const;
    [[nodiscard]] static bool may_have_ended_since(const Lock& lock);
    void judge(const std::string& key, Lock& lock, Instant now);
    void tell(const std::string& key, Lock& lock);

    Span after_{};
    std::int64_t stagger_{}; ///< so many parts later than its age says, a lock is looked at again
    std::map<std::string, Lock, std::less<>> locks_;
    Agenda agenda_; ///< locks without an owner that are to be judged, and when
    std::optional<Instant> look_again_;
    Changes changes_;
};

} // namespace egb::lockfile
