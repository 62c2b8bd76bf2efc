// SPDX-License-Identifier: Apache-2.0
// Processes and ghosts, with everything that a test does not care about filled in.
#pragma once

#include "core/ghost.hpp"
#include "core/kind_info.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace egb::test {

/// What a test may want to choose about a process.
struct ProcessTraits {
    std::int32_t pid{100};
    std::uint32_t uid{1000};
    std::string comm{"app"};
    std::string exe{"/usr/bin/app"};
    std::string unit{"app.service"};
    std::string container{};
    std::vector<std::string> around{};
    bool known{true};
};

[[nodiscard]] ProcessPtr make_process(const ProcessTraits& traits = {});

/// One process, one descriptor.
[[nodiscard]] std::vector<Holder> held_by(const ProcessTraits& traits, int fd = 3);

/// A kind that exists only to be named, and can clean.
[[nodiscard]] const KindInfo& some_kind();

/// A suspected ghost of some_kind(), without id, holders and evidence.
[[nodiscard]] Ghost make_ghost(const std::string& key, Instant since = {});

} // namespace egb::test
