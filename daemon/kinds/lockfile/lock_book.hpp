// SPDX-License-Identifier: Apache-2.0
// The locks under observation, by what they are asked for by. Owned by the kind.
#pragma once

#include "kinds/lockfile/lock.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::lockfile {

class LockBook {
public:
    /// nullptr when there is none.
    [[nodiscard]] Lock* find(std::string_view key);
    [[nodiscard]] Lock* find(const egb_lock_key& kernel);
    /// By whatever mount the asker has it.
    [[nodiscard]] const Lock* find(const FileIdentity& file) const;

    /// In place of one that had the same key.
    Lock& add(Lock lock);
    void remove(const std::string& key);

    /// Whose death will matter to it.
    void note_owners(const std::string& key, std::vector<ProcessIdentity> owners);
    /// The locks to which a death matters.
    [[nodiscard]] std::vector<std::string> owned_by(const ProcessIdentity& owner) const;
    /// Whether it matters to any.
    [[nodiscard]] bool is_owner(const ProcessIdentity& process) const { return by_owner_.contains(process); }

    [[nodiscard]] std::vector<std::string> keys() const;
    [[nodiscard]] std::size_t size() const { return locks_.size(); }
    /// How many locks a user's processes have made.
    [[nodiscard]] std::size_t made_by(std::uint32_t uid) const;

private:
    using Kernel = std::pair<std::uint64_t, std::uint32_t>;

    void forget_owners(const std::string& key);

    std::map<std::string, Lock, std::less<>> locks_;
    std::map<Kernel, std::string> by_kernel_;
    std::map<std::uint32_t, std::size_t> by_user_; ///< how many
    std::map<ProcessIdentity, std::set<std::string>> by_owner_;
    std::map<std::string, std::vector<ProcessIdentity>, std::less<>> owners_;
};

} // namespace egb::lockfile
