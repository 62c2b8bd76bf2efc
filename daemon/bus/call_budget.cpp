// SPDX-License-Identifier: Apache-2.0
#include "bus/call_budget.hpp"

#include <algorithm>
#include <chrono>

namespace egb::bus {

bool CallBudget::take(std::string_view payer, double cost, Instant now) {
    Purse& own = purse(payer, now);
    if (own.left < cost) {
        return false;
    }
    own.left -= cost;
    return true;
}

void CallBudget::hand_over(std::string_view from, std::string_view to, Instant now) {
    const auto known = purses_.find(from);
    if (known == purses_.end()) {
        return;
    }
    const double spent = allowance_.burst - left(known->second, now);
    purses_.erase(known);
    Purse& heir = purse(to, now);
    heir.left = std::max(heir.left - spent, 0.0);
}

double CallBudget::left(const Purse& purse, Instant now) const {
    const std::chrono::duration<double> passed = now - purse.at;
    return std::min(purse.left + allowance_.per_second * passed.count(), allowance_.burst);
}

CallBudget::Purse& CallBudget::purse(std::string_view payer, Instant now) {
    if (const auto known = purses_.find(payer); known != purses_.end()) {
        known->second = {.left = left(known->second, now), .at = now};
        return known->second;
    }
    if (purses_.size() >= most_payers) {
        purses_.erase(std::ranges::max_element(purses_, {}, [this, now](const auto& entry) {
            return left(entry.second, now);
        }));
    }
    return purses_.emplace(payer, Purse{.left = allowance_.burst, .at = now}).first->second;
}

} // namespace egb::bus
