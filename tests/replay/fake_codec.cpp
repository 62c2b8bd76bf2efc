// SPDX-License-Identifier: Apache-2.0
#include "replay/fake_codec.hpp"

#include "harness/fake_events.hpp"
#include "harness/fake_kind.hpp"

#include <algorithm>
#include <cstring>

namespace egb::test {

Result<Fields> FakeCodec::to_fields(SightingType /*type*/, std::span<const std::byte> bytes) const {
    FakeRecord record{};
    if (bytes.size() != sizeof(record)) {
        return fail(ErrorCode::invalid, "{} bytes are no record of the kind fake", bytes.size());
    }
    std::memcpy(&record, bytes.data(), sizeof(record));
    return Fields{{.name = "key", .value = std::string{key_of(record)}},
                  {.name = "inode", .value = record.inode},
                  {.name = "born", .value = record.born},
                  {.name = "proven", .value = record.proven != 0}};
}

Result<std::vector<std::byte>> FakeCodec::to_record(SightingType /*type*/, const Fields& fields) const {
    std::string_view key;
    FakeRecord record{};
    for (const auto& [name, value] : fields) {
        if (const auto* text = std::get_if<std::string>(&value); text != nullptr && name == "key") {
            key = *text;
        } else if (const auto* flag = std::get_if<bool>(&value); flag != nullptr && name == "proven") {
            record.proven = *flag ? 1 : 0;
        } else if (const auto* number = std::get_if<std::uint64_t>(&value);
                   number != nullptr && name == "inode") {
            record.inode = *number;
        } else if (number != nullptr && name == "born") {
            record.born = *number;
        } else {
            return fail(ErrorCode::invalid, "a record of the kind fake has no {} of that type", name);
        }
    }
    if (key.size() >= record.key.size()) {
        return fail(ErrorCode::invalid, "the key {} is too long", key);
    }
    std::ranges::copy(key, record.key.begin());
    return bytes_of(record);
}

} // namespace egb::test
