// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/codec.hpp"

#include "core/record_members.hpp"
#include "kinds/tcp/record.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace egb::tcp {

namespace {

/// Addresses are written as people write them; an IPv4 one has no colon.
template <auto member>
constexpr auto address(std::string_view name) {
    using Record = decltype(class_of(member));
    return RecordMember<Record>{name,
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
    number_member<&egb_header::time_ns>("time_ns"),
};

constexpr std::array socket_members{
    number_member<&egb_tcp_socket::header, &egb_header::time_ns>("time_ns"),
    number_member<&egb_tcp_socket::cookie>("cookie"),
    number_member<&egb_tcp_socket::since_ns>("since_ns"),
    number_member<&egb_tcp_socket::quiet_ns>("quiet_ns"),
    number_member<&egb_tcp_socket::bytes_sent>("bytes_sent"),
    number_member<&egb_tcp_socket::bytes_acked>("bytes_acked"),
    number_member<&egb_tcp_socket::bytes_received>("bytes_received"),
    number_member<&egb_tcp_socket::inode>("inode"),
    number_member<&egb_tcp_socket::receive_queue>("receive_queue"),
    number_member<&egb_tcp_socket::send_queue>("send_queue"),
    number_member<&egb_tcp_socket::netns>("netns"),
    number_member<&egb_tcp_socket::uid>("uid"),
    address<&egb_tcp_socket::local>("local"),
    address<&egb_tcp_socket::remote>("remote"),
    number_member<&egb_tcp_socket::local_port>("local_port"),
    number_member<&egb_tcp_socket::remote_port>("remote_port"),
    number_member<&egb_tcp_socket::state>("state"),
    number_member<&egb_tcp_socket::flags>("flags"),
};

/// The name of the first member says which record of a sweep it is.
constexpr std::array peer_members{
    number_member<&egb_tcp_peer::netns>("peer_in"),
    address<&egb_tcp_peer::local>("local"),
    address<&egb_tcp_peer::remote>("remote"),
    number_member<&egb_tcp_peer::local_port>("local_port"),
    number_member<&egb_tcp_peer::remote_port>("remote_port"),
    number_member<&egb_tcp_peer::state>("state"),
    number_member<&egb_tcp_peer::flags>("flags"),
};

constexpr std::array asked_members{
    number_member<&egb_tcp_note::cookie>("asked"),
};

constexpr std::array answered_members{
    number_member<&egb_tcp_note::cookie>("answered"),
};

constexpr std::array owner_members{
    number_member<&egb_tcp_owner::pid>("owner"),
    number_member<&egb_tcp_owner::start_ticks>("start_ticks"),
    number_member<&egb_tcp_owner::open_files>("open_files"),
    number_member<&egb_tcp_owner::file_limit>("file_limit"),
};

constexpr std::array end_members{
    number_member<&egb_tcp_end::cookie>("cookie"),
    number_member<&egb_tcp_end::netns>("netns"),
    number_member<&egb_tcp_end::next_state>("next_state"),
    number_member<&egb_tcp_end::error>("error"),
};

constexpr std::array holder_members{
    number_member<&egb_tcp_holder::cookie>("cookie"),
    number_member<&egb_tcp_holder::start_boottime_ns>("start_boottime_ns"),
    number_member<&egb_tcp_holder::pid>("pid"),
    number_member<&egb_tcp_holder::fd>("fd"),
};

template <typename Record, std::size_t count>
Result<Fields> fields_from(const std::array<RecordMember<Record>, count>& members,
                           std::span<const std::byte> bytes) {
    const auto record = read_record<Record>(bytes);
    if (!record) {
        return fail(ErrorCode::invalid, "not a record of tcp: {} bytes", bytes.size());
    }
    return fields_by<Record>(members, *record);
}

template <typename Record>
std::vector<std::byte> bytes_of(const Record& record) {
    const auto bytes = std::as_bytes(std::span{&record, 1});
    return {bytes.begin(), bytes.end()};
}

template <typename Record, std::size_t count>
Result<std::vector<std::byte>> record_by(const std::array<RecordMember<Record>, count>& members,
                                         const Fields& fields, std::uint16_t type) {
    Record record{};
    record.header.type = type;
    record.header.size = sizeof(record);
    return fill_by<Record>(members, fields, record).transform([&] {
        return bytes_of(record);
    });
}

Result<std::vector<std::byte>> waiting_record(const Fields& fields) {
    egb_header header{.type = EGB_TCP_WAITING, .size = sizeof(header), .reserved = 0, .time_ns = 0};
    return fill_by<egb_header>(waiting_members, fields, header).transform([&] {
        return bytes_of(header);
    });
}

Result<Fields> waiting_fields(std::span<const std::byte> bytes) {
    return fields_by<egb_header>(waiting_members, front_of<egb_header>(bytes).value_or(egb_header{}));
}

Result<Fields> seen_fields(std::span<const std::byte> record) {
    switch (record_type(record)) {
    case EGB_TCP_WAITING:
        return waiting_fields(record);
    case EGB_TCP_PEER:
        return fields_from(peer_members, record);
    case EGB_TCP_ASKED:
        return fields_from(asked_members, record);
    case EGB_TCP_ANSWERED:
        return fields_from(answered_members, record);
    case EGB_TCP_OWNER:
        return fields_from(owner_members, record);
    default:
        return fields_from(socket_members, record);
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
        return fields_from(end_members, record);
    case SightingType::held:
        return fields_from(holder_members, record);
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
