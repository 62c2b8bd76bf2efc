// SPDX-License-Identifier: Apache-2.0
// A zombie cannot be ended: it is dead. Its parent can be told again, and its parent's unit seen to.
#pragma once

#include "core/cleaner.hpp"
#include "host/surroundings.hpp"
#include "kinds/process/tracker.hpp"

#include <optional>
#include <string>

namespace egb::process {

class ParentCleaner final : public Cleaner {
public:
    ParentCleaner(const host::Surroundings& surroundings, ZombieTracker& tracker)
        : surroundings_{surroundings}, tracker_{tracker} {}

    /// How often a unit may be restarted; nothing: never.
    void set_restart_every(std::optional<Span> every) { restart_every_ = every; }

    [[nodiscard]] Result<> confirm(const Ghost& ghost) override;
    [[nodiscard]] std::vector<Outcome> clean(std::span<const GhostPtr> ghosts) override;
    [[nodiscard]] std::vector<Outcome> ask(std::span<const GhostPtr> ghosts) override;

    /// Why a unit was last left alone; empty when it was not.
    [[nodiscard]] const std::string& unit_refusal() const { return unit_refusal_; }

private:
    [[nodiscard]] Outcome tell_again(const Ghost& ghost);
    [[nodiscard]] Outcome restart_unit(const Ghost& ghost);

    host::Surroundings surroundings_;
    ZombieTracker& tracker_;
    std::optional<Span> restart_every_;
    std::string unit_refusal_;
};

} // namespace egb::process
