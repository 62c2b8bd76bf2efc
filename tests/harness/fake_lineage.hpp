// SPDX-License-Identifier: Apache-2.0
// A lineage that knows what the test has told it.
#pragma once

#include "host/lineage.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace egb::test {

class FakeLineage final : public host::Lineage {
public:
    /// One who dies without being waited for, and whoever listens hears of it.
    void die(ProcessIdentity process, host::Death death,
             std::optional<ProcessIdentity> forked_by = std::nullopt) {
        deaths_.insert_or_assign(process, death);
        unreaped_.push_back(
            {.process = std::move(process), .forked_by = std::move(forked_by), .death = death});
        for (const OnDeath& listener : listeners_) {
            listener();
        }
        end(unreaped_.back().process);
    }

    /// Whoever watches it hears of its end.
    void end(ProcessIdentity process) {
        if (watched_.erase(process) > 0) {
            for (const OnEnd& ender : enders_) {
                ender(process);
            }
        }
    }

    void reap(const ProcessIdentity& process) {
        std::erase_if(unreaped_, [&](const host::Unreaped& dead) {
            return dead.process == process;
        });
    }

    void set_heirs(const ProcessIdentity& of, Result<std::vector<ProcessIdentity>> heirs) {
        heirs_.insert_or_assign(of, std::move(heirs));
    }

    /// One more, whom those do not hear of who ask for later ones.
    void add_heir(const ProcessIdentity& of, ProcessIdentity heir, Instant forked) {
        dated_heirs_.emplace(of, std::pair{std::move(heir), forked});
    }

    /// Whoever listened is no more.
    void leave_alone() {
        listeners_.clear();
        enders_.clear();
    }

    /// It is not known whether it lives.
    void know_nothing_of(const ProcessIdentity& process) { untold_.insert(process); }

    /// Of nobody anything is known any more.
    void forget() {
        deaths_.clear();
        heirs_.clear();
        unreaped_.clear();
    }

    void set_forker(const ProcessIdentity& of, ProcessIdentity forker) {
        forkers_.insert_or_assign(of, std::move(forker));
    }

    void lose_forker(const ProcessIdentity& of) { forkers_.erase(of); }

    void set_session(const ProcessIdentity& of, std::int32_t leader) {
        sessions_.insert_or_assign(of, leader);
    }

    /// At any time.
    void set_identity(ProcessIdentity process) {
        identities_.insert_or_assign(process.pid, std::move(process));
    }

    void set_lack(std::string lack) { lack_ = std::move(lack); }
    void lose(std::uint64_t count) { lost_ += count; }

    [[nodiscard]] std::string lack() const override { return lack_; }
    [[nodiscard]] std::uint64_t lost() const override { return lost_; }
    void listen(OnDeath on_death) override { listeners_.push_back(std::move(on_death)); }
    void on_end(OnEnd on_end) override { enders_.push_back(std::move(on_end)); }
    void watch(const ProcessIdentity& process) override { watched_.insert(process); }
    [[nodiscard]] bool is_watched(const ProcessIdentity& process) const { return watched_.contains(process); }

    [[nodiscard]] Result<std::vector<host::Unreaped>> unreaped() override { return unreaped_; }

    [[nodiscard]] Result<std::vector<ProcessIdentity>> heirs(const ProcessIdentity& of,
                                                             Instant since) override {
        const auto known = heirs_.find(of);
        const auto [first, last] = dated_heirs_.equal_range(of);
        if (known == heirs_.end() && first == last) {
            return fail(ErrorCode::lost, "nobody has told");
        }
        auto heirs = known == heirs_.end() ? Result<std::vector<ProcessIdentity>>{} : known->second;
        for (const auto& [heir, forked] : std::ranges::subrange(first, last) | std::views::values) {
            if (heirs && forked >= since) {
                heirs->push_back(heir);
            }
        }
        return heirs;
    }

    [[nodiscard]] Result<std::optional<host::Death>> death_of(const ProcessIdentity& process) override {
        if (untold_.contains(process)) {
            return fail(ErrorCode::lost, "nobody has told");
        }
        const auto known = deaths_.find(process);
        return known == deaths_.end() ? std::nullopt : std::optional{known->second};
    }

    [[nodiscard]] Result<ProcessIdentity> forker_of(const ProcessIdentity& process) override {
        return told(forkers_, process);
    }

    [[nodiscard]] Result<std::int32_t> session_of(const ProcessIdentity& process) override {
        return told(sessions_, process);
    }

    [[nodiscard]] Result<ProcessIdentity> identity_at(std::int32_t pid, Instant /*at*/) override {
        return told(identities_, pid);
    }

private:
    template <typename Key, typename Value>
    [[nodiscard]] static Result<Value> told(const std::map<Key, Value>& answers, const Key& key) {
        const auto known = answers.find(key);
        return known == answers.end() ? fail(ErrorCode::lost, "nobody has told")
                                      : Result<Value>{known->second};
    }

    std::string lack_;
    std::uint64_t lost_{};
    std::vector<OnDeath> listeners_;
    std::vector<OnEnd> enders_;
    std::set<ProcessIdentity> watched_;
    std::vector<host::Unreaped> unreaped_;
    std::map<ProcessIdentity, host::Death> deaths_;
    std::set<ProcessIdentity> untold_;
    std::map<ProcessIdentity, Result<std::vector<ProcessIdentity>>> heirs_;
    std::multimap<ProcessIdentity, std::pair<ProcessIdentity, Instant>> dated_heirs_; ///< and when forked
    std::map<ProcessIdentity, ProcessIdentity> forkers_;
    std::map<ProcessIdentity, std::int32_t> sessions_;
    std::map<std::int32_t, ProcessIdentity> identities_;
};

} // namespace egb::test
