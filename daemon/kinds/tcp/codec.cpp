// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/codec.hpp"

#include "kinds/tcp/record.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

namespace egb::tcp {

namespace {

/// One member of a record under its name. A table of these is a record's whole codec.
template <typename Record>
struct Member {
    std::string_view name;
    FieldValue (*get)(const Record&);
    bool (*set)(Record&, const FieldValue&); ///< false when the value does not fit
};

template <typename Integer>
bool store(Integer& target, const FieldValue& value) {
    const auto fits = [&](auto number) {
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

template <typename Class, typename Value>
Class class_of(Value Class::*);

template <auto member>
constexpr auto number(std::string_view name) {
    using Record = decltype(class_of(member));
    return Member<Record>{name,
                          [](const Record& record) {
                              return FieldValue{static_cast<std::uint64_t>(record.*member)};
                          },
                          [](Record& record, const FieldValue& value) {
                              return store(record.*member, value);
                          }};
}

/// Addresses are written as people write them; an IPv4 one has no colon.
template <auto member>
constexpr auto address(std::string_view name) {
    using Record = decltype(class_of(member));
    return Member<Record>{name,
                          [](const Record& record) {
                              std::array<char, INET6_ADDRSTRLEN> text{};
                              const char* written =
                                  ::inet_ntop(record.family, record.*member, text.data(), text.size());
                              return FieldValue{std::string{written == nullptr ? "" : written}};
                          },
                          [](Record& record, const FieldValue& value) {
                              const auto* text = std::get_if<std::string>(&value);
                              if (text == nullptr) {
                                  return false;
                              }
                              const int family = text->contains(':') ? AF_INET6 : AF_INET;
                              record.family = static_cast<__u8>(family);
                              return ::inet_pton(family, text->c_str(), record.*member) == 1;
                          }};
}

constexpr std::array waiting_members{
    number<&egb_header::time_ns>("time_ns"),
};

FieldValue get_time(const egb_tcp_socket& record) {
    return std::uint64_t{record.header.time_ns};
}
bool set_time(egb_tcp_socket& record, const FieldValue& value) {
    return store(record.header.time_ns, value);
}

constexpr std::array socket_members{
    Member<egb_tcp_socket>{"time_ns", get_time, set_time},
    number<&egb_tcp_socket::cookie>("cookie"),
    number<&egb_tcp_socket::since_ns>("since_ns"),
    number<&egb_tcp_socket::quiet_ns>("quiet_ns"),
    number<&egb_tcp_socket::bytes_sent>("bytes_sent"),
    number<&egb_tcp_socket::bytes_acked>("bytes_acked"),
    number<&egb_tcp_socket::bytes_received>("bytes_received"),
    number<&egb_tcp_socket::inode>("inode"),
    number<&egb_tcp_socket::receive_queue>("receive_queue"),
    number<&egb_tcp_socket::send_queue>("send_queue"),
    number<&egb_tcp_socket::netns>("netns"),
    number<&egb_tcp_socket::uid>("uid"),
    address<&egb_tcp_socket::local>("local"),
    address<&egb_tcp_socket::remote>("remote"),
    number<&egb_tcp_socket::local_port>("local_port"),
    number<&egb_tcp_socket::remote_port>("remote_port"),
    number<&egb_tcp_socket::state>("state"),
    number<&egb_tcp_socket::flags>("flags"),
};

/// The name of the first member says which record of a sweep it is.
constexpr std::array peer_members{
    number<&egb_tcp_peer::netns>("peer_in"),
    address<&egb_tcp_peer::local>("local"),
    address<&egb_tcp_peer::remote>("remote"),
    number<&egb_tcp_peer::local_port>("local_port"),
    number<&egb_tcp_peer::remote_port>("remote_port"),
    number<&egb_tcp_peer::state>("state"),
    number<&egb_tcp_peer::flags>("flags"),
};

constexpr std::array asked_members{
    number<&egb_tcp_note::cookie>("asked"),
};

constexpr std::array answered_members{
    number<&egb_tcp_note::cookie>("answered"),
};

constexpr std::array owner_members{
    number<&egb_tcp_owner::pid>("owner"),
    number<&egb_tcp_owner::start_ticks>("start_ticks"),
    number<&egb_tcp_owner::open_files>("open_files"),
    number<&egb_tcp_owner::file_limit>("file_limit"),
};

constexpr std::array end_members{
    number<&egb_tcp_end::cookie>("cookie"),
    number<&egb_tcp_end::netns>("netns"),
    number<&egb_tcp_end::next_state>("next_state"),
    number<&egb_tcp_end::error>("error"),
};

constexpr std::array holder_members{
    number<&egb_tcp_holder::cookie>("cookie"),
    number<&egb_tcp_holder::start_boottime_ns>("start_boottime_ns"),
    number<&egb_tcp_holder::pid>("pid"),
    number<&egb_tcp_holder::fd>("fd"),
};

template <typename Record, std::size_t count>
Result<Fields> fields_by(const std::array<Member<Record>, count>& members, std::span<const std::byte> bytes) {
    const auto record = read_record<Record>(bytes);
    if (!record) {
        return fail(ErrorCode::invalid, "not a record of tcp: {} bytes", bytes.size());
    }
    Fields fields;
    for (const auto& member : members) {
        fields.push_back({member.name, member.get(*record)});
    }
    return fields;
}

template <typename Record, std::size_t count>
Result<> fill_by(const std::array<Member<Record>, count>& members, const Fields& fields, Record& record) {
    for (const Field& field : fields) {
        const auto member = std::ranges::find(members, field.name, &Member<Record>::name);
        if (member == members.end()) {
            return fail(ErrorCode::invalid, "no such field of a tcp record: {}", field.name);
        }
        if (!member->set(record, field.value)) {
            return fail(ErrorCode::invalid, "not a value for {}", field.name);
        }
    }
    return {};
}

template <typename Record>
std::vector<std::byte> bytes_of(const Record& record) {
    const auto bytes = std::as_bytes(std::span{&record, 1});
    return {bytes.begin(), bytes.end()};
}

template <typename Record, std::size_t count>
Result<std::vector<std::byte>> record_by(const std::array<Member<Record>, count>& members,
                                         const Fields& fields, std::uint16_t type) {
    Record record{};
    record.header.type = type;
    record.header.size = sizeof(record);
    return fill_by(members, fields, record).transform([&] {
        return bytes_of(record);
    });
}

Result<std::vector<std::byte>> waiting_record(const Fields& fields) {
    egb_header header{.type = EGB_TCP_WAITING, .size = sizeof(header), .reserved = 0, .time_ns = 0};
    return fill_by(waiting_members, fields, header).transform([&] {
        return bytes_of(header);
    });
}

Result<Fields> waiting_fields(std::span<const std::byte> bytes) {
    egb_header header{};
    std::memcpy(&header, bytes.data(), sizeof(header));
    return Fields{{"time_ns", std::uint64_t{header.time_ns}}};
}

Result<Fields> seen_fields(std::span<const std::byte> record) {
    switch (record_type(record)) {
    case EGB_TCP_WAITING:
        return waiting_fields(record);
    case EGB_TCP_PEER:
        return fields_by(peer_members, record);
    case EGB_TCP_ASKED:
        return fields_by(asked_members, record);
    case EGB_TCP_ANSWERED:
        return fields_by(answered_members, record);
    case EGB_TCP_OWNER:
        return fields_by(owner_members, record);
    default:
        return fields_by(socket_members, record);
    }
}

Result<std::vector<std::byte>> seen_record(const Fields& fields) {
    const auto has = [&fields](std::string_view name) {
        return std::ranges::contains(fields, name, &Field::name);
    };
    if (has("peer_in")) {
        return record_by(peer_members, fields, EGB_TCP_PEER);
    }
    if (has("asked")) {
        return record_by(asked_members, fields, EGB_TCP_ASKED);
    }
    if (has("answered")) {
        return record_by(answered_members, fields, EGB_TCP_ANSWERED);
    }
    if (has("owner")) {
        return record_by(owner_members, fields, EGB_TCP_OWNER);
    }
    return has("cookie") ? record_by(socket_members, fields, EGB_TCP_SOCKET) : waiting_record(fields);
}

} // namespace

Result<Fields> TcpCodec::to_fields(SightingType type, std::span<const std::byte> record) const {
    switch (type) {
    case SightingType::seen:
        return seen_fields(record);
    case SightingType::gone:
        return fields_by(end_members, record);
    case SightingType::held:
        return fields_by(holder_members, record);
    default:
        return fail(ErrorCode::invalid, "sightings of this type have no record");
    }
}

Result<std::vector<std::byte>> TcpCodec::to_record(SightingType type, const Fields& fields) const {
    switch (type) {
    case SightingType::seen:
        return seen_record(fields);
    case SightingType::gone:
        return record_by(end_members, fields, EGB_TCP_END);
    case SightingType::held:
        return record_by(holder_members, fields, EGB_TCP_HOLDER);
    default:
        return fail(ErrorCode::invalid, "sightings of this type have no record");
    }
}

} // namespace egb::tcp
