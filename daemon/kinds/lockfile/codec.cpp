// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/codec.hpp"

#include "core/format.hpp"
#include "core/record_members.hpp"
#include "kinds/lockfile/record.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace egb::lockfile {

namespace {

struct FactWord {
    std::string_view word;
    std::uint32_t fact;
};

/// As record.hpp calls them.
constexpr std::array fact_words{
    FactWord{"creator_killed", creator_killed},
    FactWord{"creator_dumped_core", creator_dumped_core},
    FactWord{"names_creator", names_creator},
    FactWord{"earlier_boot", earlier_boot},
    FactWord{"creator_exited", creator_exited},
    FactWord{"owners_unknown", owners_unknown},
    FactWord{"unwatched", unwatched},
    FactWord{"is_held", is_held},
    FactWord{"holders_unknown", holders_unknown},
    FactWord{"is_locked", is_locked},
    FactWord{"was_advisory", was_advisory},
    FactWord{"names_living", names_living},
    FactWord{"names_elsewhere", names_elsewhere},
    FactWord{"has_other_names", has_other_names},
    FactWord{"is_remote", is_remote},
    FactWord{"is_mount_point", is_mount_point},
    FactWord{"is_not_empty", is_not_empty},
    FactWord{"is_too_large", is_too_large},
    FactWord{"changed_since", changed_since},
    FactWord{"is_protected", is_protected},
    FactWord{"is_ageless", is_ageless},
    FactWord{"is_anothers", is_anothers},
    FactWord{"is_unreachable", is_unreachable},
    FactWord{"holds_data", holds_data},
    FactWord{"was_renamed", was_renamed},
    FactWord{"made_for_others", made_for_others},
    FactWord{"made_by_fork", made_by_fork},
    FactWord{"heir_exited", heir_exited},
    FactWord{"parent_goes_on", parent_goes_on},
    FactWord{"is_out_of_bounds", is_out_of_bounds},
    FactWord{"exclusive_unseen", exclusive_unseen},
    FactWord{"is_exported", is_exported},
};

constexpr std::array ways{EGB_LOCK_BY_OPEN, EGB_LOCK_BY_LINK, EGB_LOCK_BY_SYMLINK, EGB_LOCK_BY_MKDIR,
                          EGB_LOCK_BY_RENAME};

FieldValue get_path(const SeenLock& lock) {
    return lock.path;
}
bool set_path(SeenLock& lock, const FieldValue& value) {
    const auto* const path = std::get_if<std::string>(&value);
    lock.path = path == nullptr ? std::string{} : *path;
    return path != nullptr && path->size() <= EGB_LOCK_PATH;
}

FieldValue get_way(const SeenLock& lock) {
    return std::string{way_in_words(lock.record.way)};
}
bool set_way(SeenLock& lock, const FieldValue& value) {
    const auto* const word = std::get_if<std::string>(&value);
    const auto* const way = std::ranges::find_if(ways, [word](auto candidate) {
        return word != nullptr && way_in_words(static_cast<std::uint16_t>(candidate)) == *word;
    });
    lock.record.way = way == ways.end() ? std::uint16_t{} : static_cast<std::uint16_t>(*way);
    return way != ways.end();
}

/// In the order of the table.
FieldValue get_facts(const SeenLock& lock) {
    std::string words;
    for (const FactWord& one : fact_words) {
        if ((lock.record.facts & one.fact) != 0) {
            words += formatted("{}{}", words.empty() ? "" : " ", one.word);
        }
    }
    return words;
}

std::optional<std::uint32_t> fact_called(std::string_view word) {
    const auto* const found = std::ranges::find(fact_words, word, &FactWord::word);
    return found == fact_words.end() ? std::nullopt : std::optional{found->fact};
}

bool set_facts(SeenLock& lock, const FieldValue& value) {
    const auto* const words = std::get_if<std::string>(&value);
    if (words == nullptr) {
        return false;
    }
    for (std::string_view rest{*words}; !rest.empty();) {
        const auto end = std::min(rest.find(' '), rest.size());
        const auto fact = fact_called(rest.substr(0, end));
        if (!fact) {
            return false;
        }
        lock.record.facts |= *fact;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return true;
}

constexpr std::array members{
    RecordMember<SeenLock>{"path", get_path, set_path},
    number_member<&SeenLock::record, &LockRecord::device>("device"),
    number_member<&SeenLock::record, &LockRecord::inode>("inode"),
    number_member<&SeenLock::record, &LockRecord::born_ns>("born_ns"),
    number_member<&SeenLock::record, &LockRecord::made_ns>("made_ns"),
    number_member<&SeenLock::record, &LockRecord::ownerless_ns>("ownerless_ns"),
    number_member<&SeenLock::record, &LockRecord::size>("size"),
    RecordMember<SeenLock>{"facts", get_facts, set_facts},
    number_member<&SeenLock::record, &LockRecord::wait_status>("wait_status"),
    number_member<&SeenLock::record, &LockRecord::holders>("holders"),
    number_member<&SeenLock::record, &LockRecord::named_pid>("named_pid"),
    number_member<&SeenLock::record, &LockRecord::mount_namespace>("mount_namespace"),
    RecordMember<SeenLock>{"way", get_way, set_way},
};

/// Which file it was is all that is told of one that is gone.
constexpr std::span<const RecordMember<SeenLock>> gone_members{&members[1], 3};

Result<std::span<const RecordMember<SeenLock>>> members_of(SightingType type) {
    switch (type) {
    case SightingType::seen:
        return members;
    case SightingType::gone:
        return gone_members;
    default:
        return fail(ErrorCode::invalid, "sightings of this type have no record");
    }
}

} // namespace

Result<Fields> LockCodec::to_fields(SightingType type, std::span<const std::byte> record) const {
    const auto table = members_of(type);
    if (!table) {
        return std::unexpected(table.error());
    }
    const auto lock = read_lock(record);
    if (!lock) {
        return fail(ErrorCode::invalid, "not a record of lockfile: {} bytes", record.size());
    }
    return fields_by(*table, *lock);
}

Result<std::vector<std::byte>> LockCodec::to_record(SightingType type, const Fields& fields) const {
    SeenLock lock;
    return members_of(type)
        .and_then([&](auto table) {
            return fill_by(table, fields, lock);
        })
        .transform([&] {
            return bytes_of(lock, type == SightingType::gone ? RecordType::gone : RecordType::lock);
        });
}

} // namespace egb::lockfile
