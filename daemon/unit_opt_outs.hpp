// SPDX-License-Identifier: Apache-2.0
// Units that want nothing done to what they hold: those that say so in their unit files, with
//   [X-Ghostbuster]
//   Clean=no
// Runs on the loop. An answer is remembered for a few seconds, so that 50,000 ghosts of one unit cost one
// look at its files.
#pragma once

#include "core/clock.hpp"
#include "engine/unit_settings.hpp"
#include "host/unit_files.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace egb {

class UnitOptOuts final : public engine::UnitSettings {
public:
    static constexpr Span remembered = std::chrono::seconds{5};

    /// The root goes before the directories in which units are looked for.
    UnitOptOuts(const Clock& clock, std::filesystem::path root) : clock_{clock}, root_{std::move(root)} {}

    [[nodiscard]] std::optional<std::string> why_left_alone(std::string_view unit) override;

    /// The next answer is a fresh one.
    void forget() { snapshot_.reset(); }

private:
    struct Snapshot {
        Instant until;
        Result<host::UnitFiles> files;
        std::map<std::string, std::optional<std::string>, std::less<>> answers{}; ///< by unit
    };

    const Clock& clock_;
    std::filesystem::path root_;
    std::optional<Snapshot> snapshot_;
};

} // namespace egb
