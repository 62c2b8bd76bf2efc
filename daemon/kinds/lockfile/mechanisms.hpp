// SPDX-License-Identifier: Apache-2.0
// The ways in which it can be seen that a lock file is made, and which of them is in use. All of them tell
// the same records (bpf/lockfile.h); kernels differ in which of them they have, or permit.
#pragma once

#include "core/result.hpp"
#include "host/events.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egb::lockfile {

struct Mechanism {
    std::string_view name; ///< as See= has it
    std::string_view sees; ///< what it tells of, and what not
    std::unique_ptr<host::EventSource> events;
    /// Programs that do the same under the names that different kernels have for it; one of them must be
    /// there.
    std::span<const std::string_view> either{};
    /// The kinds of file systems on which it sees; none: all.
    std::span<const std::string_view> file_systems{};
    std::function<std::string()> extent{}; ///< what else is to be said while it is in use: where it sees that
};

class Mechanisms {
public:
    /// At least one, the best first.
    explicit Mechanisms(std::vector<Mechanism> all) : all_{std::move(all)} {}

    /// What See= may say for: the first that works.
    static constexpr std::string_view any = "auto";

    /// Which of them may be tried.
    void permit(std::string_view see) { permitted_ = see; }

    /// Attaches the first that works; an error says why each does not.
    [[nodiscard]] Result<> attach();

    /// Those of the one in use; before attach(), of one that is not attached.
    [[nodiscard]] host::EventSource& events() const { return *all_[in_use_].events; }

    /// Whether the one in use sees what is made on such a file system.
    [[nodiscard]] bool see(std::string_view file_system) const;

    /// What is seen, by which of them, and why not by another.
    [[nodiscard]] std::string description() const;

private:
    [[nodiscard]] std::string why_not(const Mechanism& mechanism) const;

    std::vector<Mechanism> all_;
    std::string lacks_; ///< of each that was tried in vain: "; not by", its name, and why
    std::string permitted_{any};
    std::size_t in_use_{};
};

} // namespace egb::lockfile
