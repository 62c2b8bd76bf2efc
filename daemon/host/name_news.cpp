// SPDX-License-Identifier: Apache-2.0
#include "host/name_news.hpp"

#include "core/record_front.hpp"

#include <sys/fanotify.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>

namespace egb::host {

namespace {

using Bytes = std::span<const std::byte>;

/// All records about files begin like this; behind it are the bytes of the file handle and, in some, a name.
struct AboutFile {
    fanotify_event_info_header header;
    std::array<std::uint32_t, 2> file_system;
    std::uint32_t handle_bytes;
    std::int32_t handle_type;
};

/// What one event says of the places and of the file that it is about.
struct Told {
    std::optional<NamePlace> place;
    std::optional<NamePlace> old_place;
    std::optional<NamePlace> new_place;
    std::string file;
};

std::string text_of(Bytes bytes) {
    std::string text(bytes.size(), '\0');
    std::memcpy(text.data(), bytes.data(), bytes.size());
    return text;
}

std::optional<NamePlace> place_in(Bytes record) {
    const auto about = front_of<AboutFile>(record);
    if (!about || record.size() - sizeof(*about) < about->handle_bytes) {
        return std::nullopt;
    }
    const auto end = sizeof(*about) + about->handle_bytes;
    const std::string name = text_of(record.subspan(end));
    return NamePlace{.file_system = std::bit_cast<std::uint64_t>(about->file_system),
                     .folder = text_of(record.first(end).subspan(offsetof(AboutFile, handle_bytes))),
                     .name = name.substr(0, name.find('\0'))};
}

void note_record(std::uint8_t type, Bytes record, Told& told) {
    auto place = place_in(record);
    switch (type) {
    case FAN_EVENT_INFO_TYPE_DFID_NAME:
        told.place = std::move(place);
        break;
    case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
        told.old_place = std::move(place);
        break;
    case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
        told.new_place = std::move(place);
        break;
    case FAN_EVENT_INFO_TYPE_FID:
        told.file = place ? std::move(place->folder) : std::string{};
        break;
    default:
        break;
    }
}

Told told_in(Bytes records) {
    Told told;
    while (const auto header = front_of<fanotify_event_info_header>(records)) {
        if (header->len < sizeof(*header) || header->len > records.size()) {
            break;
        }
        note_record(header->info_type, records.first(header->len), told);
        records = records.subspan(header->len);
    }
    return told;
}

class NewsOfOne {
public:
    NewsOfOne(std::size_t event, std::vector<NameNews>& news) : event_{event}, news_{news} {}

    void add(NameNews::What what, const std::optional<NamePlace>& place, std::string file = {}) {
        if (place) {
            news_.push_back({.what = what, .event = event_, .place = *place, .file = std::move(file)});
        }
    }

private:
    std::size_t event_;
    std::vector<NameNews>& news_;
};

/// The kernel makes one event of what one process does to one name, if nobody has read it in between: what
/// was made and removed was made first.
void add_news(std::uint64_t mask, const Told& told, NewsOfOne news) {
    using enum NameNews::What;
    if ((mask & FAN_Q_OVERFLOW) != 0) {
        news.add(missed, NamePlace{});
    }
    if ((mask & FAN_CREATE) != 0) {
        news.add(made, told.place, told.file);
    }
    if ((mask & FAN_DELETE) != 0) {
        news.add(left, told.place);
    }
    if ((mask & FAN_RENAME) != 0) {
        news.add(left, told.old_place);
        news.add(left, told.new_place);
    }
}

} // namespace

NameReading read_names(std::span<const std::byte> bytes) {
    NameReading reading;
    while (const auto event = front_of<fanotify_event_metadata>(bytes)) {
        if (event->event_len < event->metadata_len || event->event_len > bytes.size() ||
            event->metadata_len < sizeof(*event)) {
            break;
        }
        const auto whole = bytes.first(event->event_len);
        add_news(event->mask, told_in(whole.subspan(event->metadata_len)),
                 NewsOfOne{reading.events, reading.news});
        ++reading.events;
        bytes = bytes.subspan(event->event_len);
    }
    return reading;
}

} // namespace egb::host
