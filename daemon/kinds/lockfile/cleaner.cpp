// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/cleaner.hpp"

#include "core/format.hpp"
#include "core/utf8.hpp"
#include "kinds/lockfile/lockfile.hpp"
#include "kinds/lockfile/verdict.hpp"
#include "kinds/lockfile/watched.hpp"

namespace egb::lockfile {

namespace {

constexpr std::string_view gone = "it is no longer there";

} // namespace

Result<> LockCleaner::confirm(const Ghost& ghost) {
    Lock* const lock = book_.find(ghost.key);
    if (lock == nullptr) {
        return fail(ErrorCode::not_found, "{}", gone);
    }
    const std::uint32_t before = lock->lasting;
    const auto watched = ask_kernel_(*lock); // before the claim, which is a change, too
    lock->touched_ns = watched ? watched->touched_ns : 0;
    const auto look = observer_.look_at(*lock);
    if (lock->lasting != before) {
        surroundings_.memory.remember(info().name, ghost.key, to_text(*lock));
    }
    if (!look) {
        return std::unexpected(look.error());
    }
    const LockRecord& record = look->seen.record;
    if (record.ownerless_ns == 0) {
        return fail(ErrorCode::changed, "it has an owner");
    }
    if (reach_of(record) == Reach::reports || grade_of(record) < ghost.grade) {
        return fail(ErrorCode::changed, "something speaks against it that did not when it was judged");
    }
    if (look->changed_ns != lock->looked_ns) {
        return fail(ErrorCode::changed, "it was changed after it was judged");
    }
    return is_watched_as_judged(*lock);
}

/// What was done to it may wait to be heard of. A lock of an earlier boot is watched since it was recalled.
Result<> LockCleaner::is_watched_as_judged(const Lock& lock) const {
    const auto watched = ask_kernel_(lock);
    if (watched && is_of_another(*watched, lock)) {
        return fail(ErrorCode::changed, "another file has its place");
    }
    const std::uint32_t news = facts_of(watched) & ~lock.lasting;
    if ((news & was_advisory) != 0) {
        return fail(ErrorCode::changed, "somebody has locked it by flock or fcntl");
    }
    return news == 0 ? Result<>{} : fail(ErrorCode::changed, "it is not watched any more");
}

std::vector<Outcome> LockCleaner::clean(std::span<const GhostPtr> ghosts) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(ghosts.size());
    for (const GhostPtr& ghost : ghosts) {
        outcomes.push_back(clean_one(*ghost));
    }
    return outcomes;
}

/// Whoever looks for the name while it is ours finds none; whoever has the file open by then is found.
Outcome LockCleaner::clean_one(const Ghost& ghost) {
    Lock* const lock = book_.find(ghost.key);
    if (lock == nullptr) {
        return {.verdict = Verdict::gone, .reason = std::string{gone}};
    }
    const auto done =
        surroundings_.sys.quarantine_file({.name = lock->name,
                                           .id = lock->id,
                                           .changed_ns = lock->looked_ns,
                                           .most_bytes = observer_.most_bytes()},
                                          [this, lock](int fd) {
                                              return observer_.is_free(fd)
                                                  .and_then([this, lock] {
                                                      return observer_.is_ownerless(*lock);
                                                  })
                                                  .and_then([this, lock] {
                                                      return is_watched_as_judged(*lock);
                                                  });
                                          },
                                          {.quarantine = surroundings_.quarantine, .ghost = ghost});
    if (!done) {
        return outcome_of(done.error());
    }
    const auto now = surroundings_.files.look(lock->name);
    if (now && now->id == lock->id) {
        return {.verdict = Verdict::failed, .reason = "it is still there"};
    }
    return {.verdict = Verdict::cleaned,
            .reason = formatted("{} is in quarantine; ghostctl restore {} brings it back",
                                printable(lock->name.path), ghost.id)};
}

} // namespace egb::lockfile
