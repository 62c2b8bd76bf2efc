// SPDX-License-Identifier: Apache-2.0
// A kind's wire records in names and values, and back: what a recording of sightings is written with, so that
// it can be read by a person, and replayed on a machine of another architecture.
#pragma once

#include "core/field.hpp"
#include "core/result.hpp"
#include "core/sighting.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace egb {

/// Pure, and without state. Only sightings of the types seen, gone and held have a record.
class RecordCodec {
public:
    virtual ~RecordCodec() = default;

    /// `invalid` when these bytes are no record of such a sighting.
    [[nodiscard]] virtual Result<Fields> to_fields(SightingType type,
                                                   std::span<const std::byte> record) const = 0;

    /// What is not among the fields is zero; `invalid` when a field is unknown, or cannot be what it says.
    /// The names need to live during the call only.
    [[nodiscard]] virtual Result<std::vector<std::byte>> to_record(SightingType type,
                                                                   const Fields& fields) const = 0;
};

} // namespace egb
