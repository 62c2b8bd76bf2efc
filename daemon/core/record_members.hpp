// SPDX-License-Identifier: Apache-2.0
// What a RecordCodec is made of: a table of a record's members under their names.
#pragma once

#include "core/field.hpp"
#include "core/format.hpp"
#include "core/result.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

namespace egb {

/// One member of a record under its name. A table of these is a record's whole codec.
template <typename Record>
struct RecordMember {
    std::string_view name;
    FieldValue (*get)(const Record&);
    bool (*set)(Record&, const FieldValue&); ///< false when the value does not fit
};

/// False when the value is no number, or one that the target has no room for.
template <typename Integer>
bool store_number(Integer& target, const FieldValue& value) {
    const auto fits = [&target](auto number) {
        if (!std::in_range<Integer>(number)) {
            return false;
        }
        target = static_cast<Integer>(number);
        return true;
    };
    if (const auto* number = std::get_if<std::uint64_t>(&value)) {
        return fits(*number);
    }
    const auto* number = std::get_if<std::int64_t>(&value);
    return number != nullptr && fits(*number);
}

/// As JSON has it, which knows a sign only where there is one.
template <typename Integer>
FieldValue number_of(Integer number) {
    return std::cmp_less(number, 0) ? FieldValue{static_cast<std::int64_t>(number)}
                                    : FieldValue{static_cast<std::uint64_t>(number)};
}

template <typename Class, typename Value>
Class class_of(Value Class::*);

/// A member, or a member of that member.
template <auto member, auto... below>
constexpr auto number_member(std::string_view name) {
    using Record = decltype(class_of(member));
    return RecordMember<Record>{name,
                                [](const Record& record) {
                                    return number_of(((record.*member).*....*below));
                                },
                                [](Record& record, const FieldValue& value) {
                                    return store_number(((record.*member).*....*below), value);
                                }};
}

template <typename Record>
Fields fields_by(std::span<const RecordMember<Record>> members, const Record& record) {
    Fields fields;
    for (const auto& member : members) {
        fields.push_back({member.name, member.get(record)});
    }
    return fields;
}

template <typename Record>
Result<> fill_by(std::span<const RecordMember<Record>> members, const Fields& fields, Record& record) {
    for (const Field& field : fields) {
        const auto member = std::ranges::find(members, field.name, &RecordMember<Record>::name);
        if (member == members.end()) {
            return fail(ErrorCode::invalid, "no such field of this record: {}", field.name);
        }
        if (!member->set(record, field.value)) {
            return fail(ErrorCode::invalid, "not a value for {}", field.name);
        }
    }
    return {};
}

} // namespace egb
