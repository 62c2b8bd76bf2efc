// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/claimants.hpp"

#include "host/process_lookup.hpp"

#include <utility>

namespace egb::lockfile {

namespace {

constexpr std::size_t most_named = 100;

/// How one of them is, as far as that is known.
struct Fate {
    bool lives{};
    bool has_exited{}; ///< by itself
    std::string end;
};

class Register {
public:
    explicit Register(const host::Surroundings& surroundings)
        : lineage_{surroundings.lineage}, lookup_{surroundings.procfs} {}

    /// True when those before it have a say, too.
    bool add(ProcessPtr process, ClaimantRole role, Instant since) {
        const auto id = process->id;
        auto fate = fate_of(id);
        claimants_.named.push_back(
            {.process = std::move(process), .role = role, .lives = fate.lives, .end = std::move(fate.end)});
        // An elder that lives is a shell, and has forked for many other reasons.
        const bool is_settled = (role == ClaimantRole::elder && fate.lives) || add_heirs(id, since);
        return fate.has_exited && !is_settled;
    }

    [[nodiscard]] ProcessPtr find(const ProcessIdentity& id) { return lookup_.find(id.pid, id.start_ticks); }
    [[nodiscard]] Claimants take() { return std::move(claimants_); }

private:
    [[nodiscard]] Fate fate_of(const ProcessIdentity& id) {
        const auto death = lineage_.death_of(id);
        if (!death) {
            return {};
        }
        if (!*death) {
            return {.lives = true, .has_exited = false, .end = {}};
        }
        return {.lives = false, .has_exited = !(*death)->by_signal(), .end = to_string(**death)};
    }

    /// True when there are some, or may be.
    bool add_heirs(const ProcessIdentity& of, Instant since) {
        const auto heirs = lineage_.heirs(of, since);
        if (!heirs) {
            return true;
        }
        for (const ProcessIdentity& heir : *heirs) {
            if (heir == of) {
                continue;
            }
            if (claimants_.named.size() < most_named) {
                claimants_.named.push_back(
                    {.process = find(heir), .role = ClaimantRole::heir, .lives = true, .end = {}});
            } else {
                ++claimants_.unnamed;
            }
        }
        return !heirs->empty();
    }

    host::Lineage& lineage_;
    host::ProcessLookup lookup_;
    Claimants claimants_;
};

Claimants of_an_earlier_boot(const Lock& lock) {
    Claimants claimants;
    claimants.named.push_back({.process = lock.creator,
                               .role = ClaimantRole::creator,
                               .lives = false,
                               .end = "of an earlier boot"});
    return claimants;
}

} // namespace

Claimants claimants_of(const Lock& lock, const host::Surroundings& surroundings) {
    if ((lock.lasting & earlier_boot) != 0) {
        return of_an_earlier_boot(lock);
    }
    const auto claim = lock.claim();
    Register all{surroundings};
    bool goes_on = all.add(lock.creator, ClaimantRole::creator, claim.since);
    for (const ProcessIdentity& elder : claim.elders) {
        if (!goes_on) {
            break;
        }
        goes_on = all.add(all.find(elder), ClaimantRole::elder, claim.since);
    }
    return all.take();
}

} // namespace egb::lockfile
