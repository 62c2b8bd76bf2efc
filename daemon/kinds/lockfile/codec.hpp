// SPDX-License-Identifier: Apache-2.0
// The records of `lockfile` in names and values: for recordings of sightings, which are bug reports and
// tests.
#pragma once

#include "core/record_codec.hpp"

namespace egb::lockfile {

class LockCodec final : public RecordCodec {
public:
    [[nodiscard]] Result<Fields> to_fields(SightingType type,
                                           std::span<const std::byte> record) const override;
    [[nodiscard]] Result<std::vector<std::byte>> to_record(SightingType type,
                                                           const Fields& fields) const override;
};

} // namespace egb::lockfile
