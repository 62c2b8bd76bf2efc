// SPDX-License-Identifier: Apache-2.0
#include "host/file_acts.hpp"

#include "core/format.hpp"
#include "host/file_making.hpp"
#include "host/file_place.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace egb::host {

namespace {

constexpr std::size_t most_attribute_bytes = 65'536;

std::unexpected<Error> dry_run() {
    return fail(ErrorCode::denied, "dry run: the file was left alone");
}

/// What may be taken away at all, whoever has proven what about it.
Result<> be_removable(const Entry& entry, const std::string& path) {
    const FileStatus& status = entry.status;
    const bool lends_rights = status.type == FileType::regular && (status.mode & (S_ISUID | S_ISGID)) != 0;
    if (status.type == FileType::other || lends_rights) {
        return fail(ErrorCode::denied, "{} is no kind of file that a lock is made of", path);
    }
    if (status.is_mount_point) {
        return fail(ErrorCode::denied, "{} is a mount point", path);
    }
    if (status.type != FileType::directory) {
        return status.links == 1 ? Result<>{} : fail(ErrorCode::denied, "{} has other names as well", path);
    }
    return is_empty(entry.fd).and_then([&](bool empty) {
        return empty ? Result<>{} : fail(ErrorCode::denied, "{} has something in it", path);
    });
}

Result<std::string> whole_content(const Entry& entry, std::uint64_t most_bytes) {
    if (entry.status.type == FileType::link) {
        return target_of_link(entry.fd);
    }
    if (entry.status.type == FileType::directory || entry.status.size == 0) {
        return std::string{};
    }
    if (entry.status.size > most_bytes) {
        return fail(ErrorCode::denied, "it has {} bytes, more than {}", entry.status.size, most_bytes);
    }
    return content_of(entry.fd, entry.status.size + 1).and_then([&](std::string text) -> Result<std::string> {
        return text.size() == entry.status.size ? Result<std::string>{std::move(text)}
                                                : fail(ErrorCode::changed, "it is being written to");
    });
}

Result<std::map<std::string, std::string>> harmless_attributes(const Entry& entry) {
    auto attributes = attributes_of(entry.fd, most_attribute_bytes);
    if (attributes && attributes->contains("security.capability")) {
        return fail(ErrorCode::denied, "its extended attributes are not those of a lock");
    }
    return attributes;
}

/// All that there is to it.
Result<QuarantinedFile> read_whole(const FilePlace& place, const Entry& entry, std::uint64_t most_bytes) {
    auto content = whole_content(entry, most_bytes);
    auto attributes = harmless_attributes(entry);
    if (!content || !attributes) {
        const Error& error = content ? attributes.error() : content.error();
        return fail(error.code, "{}: {}", place.path, error.message);
    }
    const FileStatus& status = entry.status;
    return QuarantinedFile{.path = place.path,
                           .mount_namespace = place.mount_namespace,
                           .hidden_name = {},
                           .id = status.id,
                           .directory = place.directory_id,
                           .type = status.type,
                           .mode = status.mode,
                           .uid = status.uid,
                           .gid = status.gid,
                           .accessed_ns = status.accessed_ns,
                           .modified_ns = status.modified_ns,
                           .content = std::move(*content),
                           .attributes = std::move(*attributes)};
}

Result<> be_judged(const FileStatus& status, const FilePlace& place, const FileTarget& target) {
    if (status.id != target.id || status.changed_ns != target.changed_ns) {
        return fail(ErrorCode::changed, "{} is not as it was when it was judged", place.path);
    }
    return {};
}

/// The very file that was judged, and nothing has happened to it since.
Result<Entry> judged_entry(const FilePlace& place, const FileTarget& target) {
    auto entry = entry_at(place, place.name);
    if (!entry) {
        return entry;
    }
    if (const auto judged = be_judged(entry->status, place, target); !judged) {
        return std::unexpected(judged.error());
    }
    return be_removable(*entry, place.path).transform([&] {
        return std::move(*entry);
    });
}

/// But for when it was last read, which is what we have done.
bool same(QuarantinedFile one, const QuarantinedFile& other) {
    one.hidden_name = other.hidden_name;
    one.accessed_ns = other.accessed_ns;
    return one == other;
}

bool untouched(FileStatus now, const FileStatus& before) {
    now.accessed_ns = before.accessed_ns;
    return now == before;
}

/// A file on its way, from when it is kept until it is clear where it is.
class Transfer {
public:
    Transfer(const FilePlace& place, const QuarantinedFile& file, const FileTarget& target,
             const Keeper& keeper)
        : place_{place}, file_{file}, target_{target}, keeper_{keeper} {}

    Result<> carry_out(const LastLook& last_look);

private:
    [[nodiscard]] Result<> claim() const;
    [[nodiscard]] Result<> fit_to_go(const LastLook& last_look) const;
    [[nodiscard]] std::unexpected<Error> leave(const Error& why) const;
    [[nodiscard]] std::unexpected<Error> put_back(const Error& why) const;

    const FilePlace& place_;
    const QuarantinedFile& file_;
    const FileTarget& target_;
    const Keeper& keeper_;
};

Result<> Transfer::carry_out(const LastLook& last_look) {
    if (const auto claimed = claim(); !claimed) {
        return leave(claimed.error());
    }
    const auto gone = fit_to_go(last_look).and_then([this] {
        return remove_from(place_, file_.hidden_name, file_.type);
    });
    if (!gone) {
        return put_back(gone.error());
    }
    // Whatever fails from here on is found out, and put right, when the daemon starts anew.
    [[maybe_unused]] const auto settled = sync_directory(place_).and_then([this] {
        return keeper_.quarantine.settle(keeper_.ghost.id);
    });
    return {};
}

/// Keeping it may have taken its time: whoever has made a new lock of that name since must not miss it for a
/// moment. The kernel has no call that renames one file and no other. So nothing comes between the look and
/// the claim; whoever takes the lock over even then is found out by the next call, and has it back.
Result<> Transfer::claim() const {
    return judged_entry(place_, target_)
        .and_then([this](const Entry& /*entry*/) {
            return status_in(place_.directory, place_.name);
        })
        .and_then([this](const FileStatus& status) {
            return be_judged(status, place_, target_);
        })
        .and_then([this] {
            return rename_in(place_, place_.name, file_.hidden_name);
        });
}

Result<> Transfer::fit_to_go(const LastLook& last_look) const {
    const auto renamed = status_in(place_.directory, file_.hidden_name);
    if (!renamed || renamed->id != file_.id) {
        return fail(ErrorCode::changed, "{} has just become another file", place_.path);
    }
    const auto claimed = entry_at(place_, file_.hidden_name);
    if (!claimed) {
        return std::unexpected(claimed.error());
    }
    if (auto removable = be_removable(*claimed, place_.path); !removable) {
        return removable;
    }
    const auto now = read_whole(place_, *claimed, target_.most_bytes);
    if (!now) {
        return std::unexpected(now.error());
    }
    if (!same(*now, file_)) {
        return fail(ErrorCode::changed, "{} has just been changed", place_.path);
    }
    if (auto looked = last_look(claimed->fd.get()); !looked) {
        return looked;
    }
    const auto still = entry_at(place_, file_.hidden_name);
    if (!still || !untouched(still->status, claimed->status)) {
        return fail(ErrorCode::changed, "{} has just been touched", place_.path);
    }
    return {};
}

std::unexpected<Error> Transfer::leave(const Error& why) const {
    [[maybe_unused]] const auto dropped = keeper_.quarantine.drop(keeper_.ghost.id);
    return std::unexpected(why);
}

/// One that has taken its name meanwhile works for somebody, and stays. Ours then keeps its hidden name, and
/// with that all that anybody may have open of it; it is put back when the name is free.
std::unexpected<Error> Transfer::put_back(const Error& why) const {
    const auto back = rename_in(place_, file_.hidden_name, place_.name);
    if (!back && back.error().code == ErrorCode::not_found) {
        return fail(ErrorCode::not_found, "{} was removed by somebody else at the same time", place_.path);
    }
    if (!back) {
        return fail(why.code, "{}; it could not be put back ({}) and is {} in its directory now", why.message,
                    back.error().message, file_.hidden_name);
    }
    // In this order: with the note, a crash would leave it hidden without anybody's knowing.
    if (const auto lasting = sync_directory(place_); lasting) {
        return leave(why);
    }
    return std::unexpected(why);
}

/// The device's number may be another one after a reboot, and the birth time is not.
FileIdentity comparable(FileIdentity id, const QuarantinedFile& file) {
    const bool same_boot = file.mount_namespace != 0;
    id.device = same_boot ? id.device : 0;
    return id;
}

bool is_directory_of(const FilePlace& place, const QuarantinedFile& file) {
    return comparable(place.directory_id, file) == comparable(file.directory, file);
}

bool is_it(const Entry& entry, const QuarantinedFile& file) {
    return comparable(entry.status.id, file) == comparable(file.id, file);
}

/// Where it came from. The number of a mount namespace in which nobody lives any more is given to another: a
/// directory of the machine is among the machine's own then.
Result<FilePlace> place_of(MountRoots& roots, const QuarantinedFile& file) {
    auto place = place_of(roots, FileName{.mount_namespace = file.mount_namespace, .path = file.path});
    if (place && is_directory_of(*place, file)) {
        return place;
    }
    auto own = place_of(roots, FileName{.mount_namespace = 0, .path = file.path});
    return own && is_directory_of(*own, file) ? std::move(own) : std::move(place);
}

} // namespace

Result<> FileActs::quarantine(const FileTarget& target, const LastLook& last_look, const Keeper& keeper,
                              Earnest earnest) {
    const auto place = place_of(roots_, target.name);
    if (!place) {
        return std::unexpected(place.error());
    }
    auto file = judged_entry(*place, target).and_then([&](const Entry& entry) {
        return read_whole(*place, entry, target.most_bytes);
    });
    auto name = hidden_name();
    if (!file || !name) {
        return std::unexpected(file ? name.error() : file.error());
    }
    if (earnest == Earnest::rehearsal) {
        return dry_run();
    }
    file->hidden_name = std::move(*name);
    return keeper.quarantine.keep(keeper.ghost, *file).and_then([&] {
        return Transfer{*place, *file, target, keeper}.carry_out(last_look);
    });
}

Result<std::string> FileActs::restore(const QuarantinedFile& file, Earnest earnest) {
    const auto place = place_of(roots_, file);
    if (!place) {
        return std::unexpected(place.error());
    }
    if (!is_directory_of(*place, file)) {
        return fail(ErrorCode::changed, "the directory of {} is another one by now, which may be anybody's",
                    file.path);
    }
    if (const auto taken = entry_at(*place, place->name);
        taken || taken.error().code != ErrorCode::not_found) {
        return fail(ErrorCode::busy, "{} is there: move it out of the way first", file.path);
    }
    if (earnest == Earnest::rehearsal) {
        return dry_run();
    }
    return make_again(*place, file)
        .and_then([&] {
            return sync_directory(*place);
        })
        .transform([&] {
            return file.path;
        });
}

Result<Whereabouts> FileActs::recover(const QuarantinedFile& file, Earnest earnest) {
    const auto place = place_of(roots_, file);
    if (!place) {
        return std::unexpected(place.error());
    }
    const auto hidden = entry_at(*place, file.hidden_name);
    if (hidden && earnest == Earnest::rehearsal) {
        return dry_run();
    }
    if (hidden) {
        // Another file under that name is what had just taken its place when it was claimed.
        return rename_in(*place, file.hidden_name, place->name)
            .and_then([&] {
                return sync_directory(*place);
            })
            .transform([&] {
                return is_it(*hidden, file) ? Whereabouts::in_place : Whereabouts::gone;
            });
    }
    if (hidden.error().code != ErrorCode::not_found) {
        return std::unexpected(hidden.error());
    }
    if (const auto here = entry_at(*place, place->name); here && is_it(*here, file)) {
        return Whereabouts::in_place;
    }
    if (!is_directory_of(*place, file)) {
        return fail(ErrorCode::lost, "the directory of {} is another one by now", file.path);
    }
    return Whereabouts::gone;
}

} // namespace egb::host
