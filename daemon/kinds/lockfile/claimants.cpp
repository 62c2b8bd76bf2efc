// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/claimants.hpp"

#include "host/process_lookup.hpp"

#include <string>
#include <utility>

namespace egb::lockfile {

namespace {

constexpr std::size_t most_named = 100;

bool lives(const Met& met) {
    return met.death && !*met.death;
}

/// Empty while it lives, and when nobody knows.
std::string end_of(const Met& met) {
    return met.death && *met.death ? to_string(**met.death) : std::string{};
}

class Register {
public:
    explicit Register(const host::Surroundings& surroundings)
        : lineage_{surroundings.lineage}, lookup_{surroundings.procfs} {}

    /// Whoever lives owns it himself, and those who would inherit it from him are told of, too.
    void add_creator(const Met& met, ProcessPtr creator, Instant forked) {
        add(met, std::move(creator), ClaimantRole::creator);
        const auto would_inherit = lives(met) ? lineage_.heirs(met.process, forked) : met.heirs;
        add_heirs(would_inherit.value_or(std::vector<ProcessIdentity>{}), met.process);
    }

    /// One that lives is a shell, and has forked for many other reasons.
    void add_elder(const Met& met) {
        add(met, find(met.process), ClaimantRole::elder);
        add_heirs(met.heirs, met.process);
    }

    [[nodiscard]] Claimants take() { return std::move(claimants_); }

private:
    [[nodiscard]] ProcessPtr find(const ProcessIdentity& id) { return lookup_.find(id.pid, id.start_ticks); }

    void add(const Met& met, ProcessPtr process, ClaimantRole role) {
        claimants_.named.push_back(
            {.process = std::move(process), .role = role, .lives = lives(met), .end = end_of(met)});
    }

    void add_heirs(const std::vector<ProcessIdentity>& heirs, const ProcessIdentity& of) {
        for (const ProcessIdentity& heir : heirs) {
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

Claimants claimants_of(const Lock& lock, const Ownership& ownership, const host::Surroundings& surroundings) {
    if ((lock.lasting & earlier_boot) != 0) {
        return of_an_earlier_boot(lock);
    }
    Register all{surroundings};
    for (const Met& met : ownership.met) {
        if (&met == &ownership.met.front()) {
            all.add_creator(met, lock.creator, lock.claim().creator_since);
        } else {
            all.add_elder(met);
        }
    }
    return all.take();
}

} // namespace egb::lockfile
