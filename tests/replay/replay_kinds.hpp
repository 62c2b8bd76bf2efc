// SPDX-License-Identifier: Apache-2.0
// The kinds that can be replayed. A new kind adds one line to replay_kinds.cpp.
#pragma once

#include "core/kind_info.hpp"
#include "core/record_codec.hpp"
#include "core/tracker.hpp"

#include <memory>
#include <span>

namespace egb::test {

struct ReplayKind {
    const KindInfo& info;
    std::unique_ptr<Tracker> (*make_tracker)(const OptionValues& options);
    const RecordCodec& codec;
};

[[nodiscard]] std::span<const ReplayKind> replay_kinds();

} // namespace egb::test
