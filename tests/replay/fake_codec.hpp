// SPDX-License-Identifier: Apache-2.0
// The records of the kind `fake` in words: {"key":"a","inode":7,"born":0,"proven":true}
#pragma once

#include "core/record_codec.hpp"

namespace egb::test {

class FakeCodec final : public RecordCodec {
public:
    [[nodiscard]] Result<Fields> to_fields(SightingType type,
                                           std::span<const std::byte> record) const override;
    [[nodiscard]] Result<std::vector<std::byte>> to_record(SightingType type,
                                                           const Fields& fields) const override;
};

} // namespace egb::test
