// SPDX-License-Identifier: Apache-2.0
// How many calls each payer may make: nobody keeps the loop to himself. Pure; the time is an argument.
#pragma once

#include "core/clock.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace egb::bus {

/// What a payer has at the start, and at most; and how much of it comes back.
struct Allowance {
    double burst{100};
    double per_second{50};
};

/// A payer is a user or, until we know whose it is, a connection. The table stays small whatever comes: who
/// has spent least is forgotten first.
class CallBudget {
public:
    static constexpr std::size_t most_payers = 1'024;

    explicit CallBudget(const Allowance& allowance = {}) : allowance_{allowance} {}

    /// Takes the whole cost, or nothing when there is not enough.
    [[nodiscard]] bool take(std::string_view payer, double cost, Instant now);

    /// What `from` has spent, `to` has spent: a connection whose user has become known.
    void hand_over(std::string_view from, std::string_view to, Instant now);

    [[nodiscard]] std::size_t payers() const { return purses_.size(); }

private:
    struct Purse {
        double left{};
        Instant at; ///< when that was so
    };
    using Purses = std::map<std::string, Purse, std::less<>>;

    [[nodiscard]] double left(const Purse& purse, Instant now) const;
    Purse& purse(std::string_view payer, Instant now);

    Allowance allowance_;
    Purses purses_;
};

} // namespace egb::bus
