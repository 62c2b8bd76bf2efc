// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/record.hpp"

#include "core/format.hpp"
#include "core/record_front.hpp"

#include <utility>

namespace egb::lockfile {

std::string key_of(const LockRecord& record) {
    return formatted("lock:{}/{}@{}", record.device, record.inode, record.born_ns);
}

std::vector<std::byte> bytes_of(const SeenLock& lock, RecordType type) {
    LockRecord record = lock.record;
    const std::string_view path = std::string_view{lock.path}.substr(0, EGB_LOCK_PATH);
    record.path_length = static_cast<std::uint16_t>(path.size());
    record.header.type = std::to_underlying(type);
    record.header.size = static_cast<std::uint16_t>(sizeof(record) + path.size());
    std::vector<std::byte> bytes(sizeof(record) + path.size());
    std::memcpy(bytes.data(), &record, sizeof(record));
    std::memcpy(bytes.data() + sizeof(record), path.data(), path.size());
    return bytes;
}

std::optional<SeenLock> read_lock(std::span<const std::byte> bytes) {
    const auto record = front_of<LockRecord>(bytes);
    if (!record) {
        return std::nullopt;
    }
    const auto rest = bytes.subspan(sizeof(*record));
    if (rest.size() != record->path_length) {
        return std::nullopt;
    }
    SeenLock lock{.record = *record, .path = std::string(rest.size(), '\0')};
    std::memcpy(lock.path.data(), rest.data(), rest.size());
    return lock;
}

std::string_view way_in_words(std::uint16_t way) {
    switch (way) {
    case EGB_LOCK_BY_OPEN:
        return "open";
    case EGB_LOCK_BY_LINK:
        return "link";
    case EGB_LOCK_BY_SYMLINK:
        return "symlink";
    case EGB_LOCK_BY_MKDIR:
        return "mkdir";
    case EGB_LOCK_BY_RENAME:
        return "rename";
    default:
        return "a call that is not known";
    }
}

} // namespace egb::lockfile
