// SPDX-License-Identifier: Apache-2.0
// Drives the kernel side of `lockfile`, looks at the locks that it tells of, and carries what it finds to the
// tracker.
#pragma once

#include "core/kind.hpp"
#include "host/events.hpp"
#include "host/process_lookup.hpp"
#include "host/surroundings.hpp"
#include "kinds/lockfile/cleaner.hpp"
#include "kinds/lockfile/lock_book.hpp"
#include "kinds/lockfile/mechanisms.hpp"
#include "kinds/lockfile/observer.hpp"
#include "kinds/lockfile/tracker.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace egb::lockfile {

class LockKind final : public Kind {
public:
    LockKind(const host::Surroundings& surroundings, std::vector<Mechanism> mechanisms);

    [[nodiscard]] const KindInfo& info() const override;
    void configure(const OptionValues& options) override;
    [[nodiscard]] Result<> start() override;
    [[nodiscard]] std::vector<Capability> capabilities() const override;
    [[nodiscard]] int event_fd() const override { return events().poll_fd(); }
    [[nodiscard]] Result<bool> drain() override;
    [[nodiscard]] Result<> sweep(SweepReason reason) override;
    [[nodiscard]] bool is_sweeping() const override { return !to_look_at_.empty(); }
    void let_go() override;
    [[nodiscard]] std::uint64_t lost() const override {
        return events().lost() + surroundings_.lineage.lost();
    }
    [[nodiscard]] Result<> provoke_canary() override { return events().provoke_canary(); }
    [[nodiscard]] std::uint64_t canaries() const override { return events().canaries(); }
    [[nodiscard]] Tracker& tracker() override { return tracker_; }
    [[nodiscard]] const Tracker& tracker() const override { return tracker_; }
    [[nodiscard]] Cleaner* cleaner() override { return &cleaner_; }
    [[nodiscard]] std::optional<OwnerReport> owners_of(const FileIdentity& file) override;
    [[nodiscard]] std::optional<Disclaimer> why_not(const AskedFile& file) const override;

private:
    [[nodiscard]] host::EventSource& events() const { return mechanisms_.events(); }
    void on_record(host::EventSource::Record record);
    /// What is behind a record.
    struct Strings {
        std::string path;
        std::string group; ///< the creator's control group
    };
    /// One that is not in the book yet.
    struct Newcomer {
        egb_lock_created created{};
        std::string path;
        ProcessPtr creator;

        [[nodiscard]] std::uint64_t made_ns() const { return created.header.time_ns; }
    };
    void on_created(const egb_lock_created& created, const Strings& strings);
    [[nodiscard]] bool is_wanted(const egb_lock_created& created, std::string_view path) const;
    [[nodiscard]] bool take_up(const Newcomer& newcomer);
    [[nodiscard]] Lock lock_of(const Newcomer& newcomer, const host::FileSight& sight) const;
    void take_in(Lock lock);
    void look_at_unnamed();
    void on_touched(const egb_lock_touched& touched);
    void on_end(const ProcessIdentity& process);
    [[nodiscard]] bool is_us(std::int32_t pid) const;
    [[nodiscard]] ProcessPtr creator_of(const egb_lock_created& created, std::string_view group);
    void recall();
    void recall_one(const Memory& memory);
    [[nodiscard]] bool may_have_lost_an_heir(const Lock& lock) const;
    [[nodiscard]] std::optional<Lock> remembered(const Memory& memory) const;
    void look_at(const std::string& key);
    void look_at_some();
    [[nodiscard]] std::optional<Instant> next_turn() const;
    void settle(Lock& lock, const Look& look);
    void drop(const std::string& key);
    void tell(SightingType type, const SeenLock& seen, ProcessPtr creator);
    [[nodiscard]] Result<> set_patterns();
    [[nodiscard]] std::optional<WallTime> made_at(const Lock& lock) const;
    void forget(const egb_lock_key& key, std::uint64_t made_ns);
    /// What the kernel side knows of a file; nothing when it does not watch it.
    [[nodiscard]] std::optional<egb_lock_watched> ask_kernel(std::string_view program,
                                                             const egb_lock_key& key, std::uint64_t made_ns);

    host::Surroundings surroundings_;
    Mechanisms mechanisms_;
    LockBook book_;
    Observer observer_;
    LockTracker tracker_;
    LockCleaner cleaner_;
    std::vector<Newcomer> unnamed_; ///< told of before they have got their names
    WallTime started_;
    std::set<std::string> to_look_at_;
    std::string looked_at_; ///< the last of them
    bool attached_{};
};

} // namespace egb::lockfile
