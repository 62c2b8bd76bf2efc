// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/fanotify.hpp"

#include "core/record_front.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>

namespace egb::lockfile {

namespace {

constexpr std::string_view queue_program = "egb_lock_queue";
constexpr std::string_view meet_program = "egb_lock_meet";
constexpr std::string_view touch_program = "egb_lock_touched";
constexpr std::string_view patterns_map = "egb_lock_patterns";
constexpr std::string_view watched_map = "egb_locks";
constexpr std::string_view on_a_look = "egb_lock_looked";
constexpr std::string_view on_forgetting = "egb_lock_forget";

template <typename Context>
std::uint32_t ask(host::EventSource& kernel, std::string_view program, Context& context) {
    return kernel.call(program, std::as_writable_bytes(std::span{&context, 1})).value_or(1);
}

/// As patterns stand in the kernel: backwards, and a slash behind it.
std::string turned_round(std::string_view name) {
    std::string turned{name.rbegin(), name.rend()};
    turned += '/';
    return turned.substr(0, EGB_LOCK_SUFFIX);
}

/// Nothing for what is no lock. A link to a link is taken for a link.
std::optional<std::uint16_t> way_of(const host::FileStatus& status) {
    switch (status.type) {
    case FileType::link:
        return EGB_LOCK_BY_SYMLINK;
    case FileType::directory:
        return EGB_LOCK_BY_MKDIR;
    case FileType::regular:
        return status.links > 1 ? EGB_LOCK_BY_LINK : EGB_LOCK_BY_OPEN;
    default:
        return std::nullopt;
    }
}

/// Since 1970. One that was given a name is as old as that, and who has no birth has at least been changed.
std::int64_t made_on_the_wall(const host::FileStatus& status) {
    const bool was_given_a_name = way_of(status) == EGB_LOCK_BY_LINK;
    return was_given_a_name || status.id.born_ns == 0 ? status.changed_ns : status.id.born_ns;
}

} // namespace

Result<> FanotifyEvents::attach() {
    return kernel_->attach()
        .and_then([this] {
            return names_->start();
        })
        .and_then([this] {
            return names_->wait_also_for(kernel_->poll_fd());
        });
}

Result<std::size_t> FanotifyEvents::drain(std::size_t most, const OnRecord& on_record) {
    const auto heard = hear(most);
    if (!heard) {
        return heard;
    }
    return kernel_->drain(most, on_record).transform([&](std::size_t taken) {
        return std::max(taken, std::min(*heard, most));
    });
}

/// Who has made what waits in the queue is asked before it is read, and no more is read than was asked for:
/// what comes in between waits.
Result<std::size_t> FanotifyEvents::hear(std::size_t most) {
    std::size_t heard = 0;
    while (heard < most) {
        egb_lock_listening listening{.fd = names_->queue(), .reserved = 0};
        const auto makers = kernel_->call(queue_program, std::as_writable_bytes(std::span{&listening, 1}));
        const auto reading = names_->read(makers.value_or(EGB_LOCK_MAKERS));
        if (!reading) {
            return std::unexpected(reading.error());
        }
        for (const host::NameNews& news : reading->news) {
            take(news, makers.value_or(0));
        }
        heard += reading->events;
        if (reading->events == 0) {
            break;
        }
    }
    names_->let_go();
    return heard;
}

void FanotifyEvents::take(const host::NameNews& news, std::uint32_t makers) {
    using enum host::NameNews::What;
    if (news.what == missed) {
        ++overflows_;
        forget_all();
    } else if (!wants(news.place.name)) {
        return;
    } else if (news.what == left) {
        leave(news.place);
    } else {
        meet(news, news.event < makers ? static_cast<std::uint32_t>(news.event) : EGB_LOCK_NO_MAKER);
    }
}

/// Nobody has watched them: whoever looks at one finds that out, and watches it anew.
void FanotifyEvents::forget_all() {
    static_cast<void>(kernel_->replace(watched_map, {}, {}));
    by_place_.clear();
    by_file_.clear();
    strays_.clear();
}

void FanotifyEvents::leave(const host::NamePlace& place) {
    if (const auto known = by_place_.find(place); known != by_place_.end()) {
        touch(known->second);
        return;
    }
    for (const FileKey& stray : strays_) {
        touch(stray);
    }
}

void FanotifyEvents::touch(const FileKey& file) {
    egb_lock_query query{};
    query.key = {.inode = file.first, .device = file.second, .reserved = 0};
    static_cast<void>(ask(*kernel_, touch_program, query));
}

/// Most locks are gone by then.
void FanotifyEvents::meet(const host::NameNews& news, std::uint32_t maker) {
    const auto found = names_->open(news);
    const auto way = found ? way_of(found->status) : std::nullopt;
    if (!way) {
        return;
    }
    egb_lock_meeting meeting{};
    meeting.made_ns = birth_of(found->status);
    meeting.changed_ns = static_cast<std::uint64_t>(made_on_the_wall(found->status));
    meeting.file = found->file.get();
    meeting.folder = found->folder.get();
    meeting.maker = maker;
    meeting.way = *way;
    news.place.name.copy(meeting.name, sizeof(meeting.name) - 1);
    if (ask(*kernel_, meet_program, meeting) == 0) {
        const FileKey file{meeting.key.inode, meeting.key.device};
        forget(file);
        by_place_.insert_or_assign(news.place, file);
        by_file_.insert_or_assign(file, news.place);
    }
}

/// By the clock of the kernel side; rather too early than too late, since who was forked afterwards owns
/// nothing of it. No two files have the same.
std::uint64_t FanotifyEvents::birth_of(const host::FileStatus& status) {
    constexpr Span slack = std::chrono::milliseconds{1};
    const Instant now = clock_.now();
    const Span today = clock_.wall_now().time_since_epoch();
    const Span age = std::max(today - Span{made_on_the_wall(status)}, Span{}) + slack;
    const auto then = static_cast<std::uint64_t>(std::max(now.time_since_epoch() - age, Span{}).count());
    last_stamp_ = std::max(last_stamp_ + 1, then);
    return last_stamp_;
}

void FanotifyEvents::forget(const FileKey& file) {
    strays_.erase(file);
    const auto known = by_file_.find(file);
    if (known == by_file_.end()) {
        return;
    }
    if (const auto there = by_place_.find(known->second); there != by_place_.end() && there->second == file) {
        by_place_.erase(there);
    }
    by_file_.erase(known);
}

Result<std::uint32_t> FanotifyEvents::call(std::string_view program, std::span<std::byte> context) {
    const auto query = front_of<egb_lock_query>(context);
    const FileKey file = query ? FileKey{query->key.inode, query->key.device} : FileKey{};
    if (query && program == on_forgetting) {
        forget(file);
    } else if (query && program == on_a_look && !by_file_.contains(file) && strays_.size() < EGB_LOCKS) {
        strays_.insert(file);
    }
    return kernel_->call(program, context);
}

Result<> FanotifyEvents::replace(std::string_view map, std::span<const std::byte> keys,
                                 std::span<const std::byte> values) {
    if (map == patterns_map) {
        patterns_.clear();
        for (auto rest = values; !rest.empty(); rest = rest.subspan(sizeof(__u32))) {
            const auto key = front_of<egb_lock_pattern>(keys);
            const auto verdict = front_of<__u32>(rest);
            if (!key || !verdict) {
                break;
            }
            patterns_.insert_or_assign(
                std::string{key->tail, std::min<std::size_t>(key->bits / 8, EGB_LOCK_SUFFIX)},
                *verdict == EGB_LOCK_WANTED);
            keys = keys.subspan(sizeof(*key));
        }
    }
    return kernel_->replace(map, keys, values);
}

/// The longest pattern decides, as it does in the kernel.
bool FanotifyEvents::wants(std::string_view name) const {
    const std::string turned = turned_round(name);
    for (std::size_t length = turned.size(); length > 0; --length) {
        if (const auto found = patterns_.find(std::string_view{turned}.substr(0, length));
            found != patterns_.end()) {
            return found->second;
        }
    }
    return false;
}

} // namespace egb::lockfile
