// SPDX-License-Identifier: Apache-2.0
// What a kind tells about itself. The command line, the bus, the configuration and the man page learn of a
// kind from this and from nothing else.
#pragma once

#include "core/evidence.hpp"
#include "core/ghost.hpp"
#include "core/option.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace egb {

struct KindInfo {
    std::string_view name;    ///< "tcp": section of the configuration, object path, argument of ghostctl
    std::string_view summary; ///< one line
    Reach reach;              ///< reports: the kind has no cleaner
    std::span<const OptionSpec> options;
    std::span<const EvidenceRule> evidence;
    std::span<const std::string_view> capabilities; ///< CAP_... that the kind needs
    std::string_view question{};      ///< what asking a ghost is, as a clause; empty when the kind cannot ask
    std::string_view bond{"held by"}; ///< what its holders have to do with a ghost
    std::span<const ListSpec> lists{}; ///< that it goes by, beside the options
};

/// One thing a kind wants of the kernel, and whether this kernel gives it.
struct Capability {
    std::string_view name; ///< kebab-case, stable
    bool works{};
    std::string detail; ///< how it works here, or why not and what is lost by that

    bool operator==(const Capability&) const = default;
};

} // namespace egb
