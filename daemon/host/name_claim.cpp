// SPDX-License-Identifier: Apache-2.0
#include "host/name_claim.hpp"

#include "core/format.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace egb::host {

namespace {

/// Where nothing is, and nobody can make anything.
constexpr const char* nowhere = "/proc/eghostbuster/claimed";

constexpr mode_t only_our_folder = 0700;

std::unexpected<Error> taken_anew(const FilePlace& place) {
    return fail(ErrorCode::busy, "there is another {} in its place", place.name);
}

/// A name that nothing has any more is free, too.
Result<> unless_gone(Result<> freed) {
    return !freed && freed.error().code == ErrorCode::not_found ? Result<>{} : std::move(freed);
}

} // namespace

NameClaim::NameClaim(const FilePlace& place, std::string hidden, FileType type)
    : place_{place}, hidden_{std::move(hidden)}, freeing_{hidden_ + "-free"}, type_{type} {}

Result<> NameClaim::take(const FileStatus& like) const {
    return put_stand_in(like).and_then([this] {
        auto claimed = exchange_in(place_, place_.name, hidden_);
        if (!claimed) {
            [[maybe_unused]] const auto removed = remove_from(place_, hidden_, FileType::link);
        }
        return claimed;
    });
}

Result<> NameClaim::put_stand_in(const FileStatus& like) const {
    if (::symlinkat(nowhere, place_.directory.get(), hidden_.c_str()) != 0) {
        return fail_errno(formatted("a link beside {}", place_.path));
    }
    auto given = give_stand_in(like);
    if (!given) {
        [[maybe_unused]] const auto removed = remove_from(place_, hidden_, FileType::link);
    }
    return given;
}

/// To the same owner, who must be able to remove it where only owners are. Whose folder it is may have put
/// something else there meanwhile, which does not become anybody's.
Result<> NameClaim::give_stand_in(const FileStatus& like) const {
    return entry_at(place_, hidden_).and_then([&](const Entry& entry) -> Result<> {
        if (entry.status.type != FileType::link || target_of_link(entry.fd) != nowhere) {
            return fail(ErrorCode::changed, "{} has become something else", hidden_);
        }
        return ::fchownat(entry.fd.get(), "", like.uid, like.gid, AT_EMPTY_PATH) == 0
                   ? Result<>{}
                   : fail_errno(formatted("the owner of a link beside {}", place_.path));
    });
}

Result<bool> NameClaim::has_stand_in(const std::string& name) const {
    return entry_at(place_, name).transform([](const Entry& entry) {
        return entry.status.type == FileType::link && target_of_link(entry.fd) == nowhere;
    });
}

Result<> NameClaim::give_back() const {
    const auto is_ours = has_stand_in(place_.name);
    if (!is_ours) {
        return is_ours.error().code == ErrorCode::not_found ? rename_in(place_, hidden_, place_.name)
                                                            : std::unexpected(is_ours.error());
    }
    return *is_ours ? exchange_back() : taken_anew(place_);
}

/// What has the name in that moment keeps it, should it be another's by now.
Result<> NameClaim::exchange_back() const {
    if (auto exchanged = exchange_in(place_, place_.name, hidden_); !exchanged) {
        [[maybe_unused]] const auto freed = let_go();
        return exchanged;
    }
    const auto is_back = has_stand_in(hidden_);
    if (is_back && *is_back) {
        return remove_from(place_, hidden_, FileType::link);
    }
    [[maybe_unused]] const auto returned = exchange_in(place_, place_.name, hidden_);
    return taken_anew(place_);
}

Result<> NameClaim::let_go() const {
    if (type_ != FileType::directory) {
        return exchange_for_a_folder();
    }
    const auto freed = remove_from(place_, place_.name, FileType::link);
    return !freed && freed.error().code == ErrorCode::changed ? Result<>{} : unless_gone(freed);
}

Result<> NameClaim::exchange_for_a_folder() const {
    if (::mkdirat(place_.directory.get(), freeing_.c_str(), only_our_folder) != 0) {
        return fail_errno(formatted("a folder beside {}", place_.path));
    }
    auto exchanged = exchange_in(place_, place_.name, freeing_);
    if (!exchanged) {
        [[maybe_unused]] const auto removed = remove_from(place_, freeing_, FileType::directory);
        return unless_gone(std::move(exchanged));
    }
    return remove_folder();
}

/// Whichever of the two names it has: whose the other thing is, decides what becomes of the name.
Result<> NameClaim::remove_folder() const {
    const auto is_ours = has_stand_in(freeing_);
    if (!is_ours) {
        return unless_gone(std::unexpected(is_ours.error()));
    }
    if (*is_ours) {
        [[maybe_unused]] const auto freed = remove_from(place_, place_.name, FileType::directory);
        return remove_from(place_, freeing_, FileType::link);
    }
    const auto is_folder = remove_from(place_, freeing_, FileType::directory);
    if (is_folder || is_folder.error().code != ErrorCode::changed) {
        return is_folder;
    }
    return exchange_in(place_, place_.name, freeing_).and_then([this] {
        return remove_from(place_, freeing_, FileType::directory);
    });
}

Result<bool> NameClaim::is_underway() const {
    for (const std::string& name : {hidden_, freeing_}) {
        const auto entry = entry_at(place_, name);
        if (entry || entry.error().code != ErrorCode::not_found) {
            return entry ? Result<bool>{true} : std::unexpected(entry.error());
        }
    }
    return has_stand_in(place_.name).value_or(false);
}

Result<> NameClaim::undo() const {
    if (auto removed = remove_folder(); !removed) {
        return removed;
    }
    const auto is_unclaimed = has_stand_in(hidden_);
    if (is_unclaimed) {
        return *is_unclaimed ? remove_from(place_, hidden_, FileType::link) : give_back();
    }
    if (is_unclaimed.error().code != ErrorCode::not_found) {
        return std::unexpected(is_unclaimed.error());
    }
    return has_stand_in(place_.name).value_or(false) ? let_go() : Result<>{};
}

} // namespace egb::host
