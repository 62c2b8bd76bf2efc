// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lock_kind.hpp"

#include "core/format.hpp"
#include "core/record_front.hpp"
#include "core/utf8.hpp"
#include "host/cgroup_names.hpp"
#include "host/kernel_names.hpp"
#include "kinds/lockfile/claimants.hpp"
#include "kinds/lockfile/disclaimer.hpp"
#include "kinds/lockfile/lockfile.hpp"
#include "kinds/lockfile/verdict.hpp"
#include "kinds/lockfile/watched.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ranges>
#include <tuple>
#include <utility>

namespace egb::lockfile {

namespace {

/// Events taken at a time; most of them are looked at, with a dozen system calls each.
constexpr std::size_t batch = 256;

/// So many locks of one user are looked after; what is beyond is left alone.
constexpr std::size_t most_of_a_user = 512;
/// Looks in one turn of the loop. One takes milliseconds, where nobody is left who owns the lock.
constexpr std::size_t most_looks = 32;
/// So many are waited for until they have their names, and for so long.
constexpr std::size_t most_unnamed = 64;
/// So many owners' ends are waited for; when they are gone, the next.
constexpr std::size_t most_awaited = 64;
constexpr Span longest_unnamed = std::chrono::seconds{10};
constexpr Span between_looks_at_unnamed = std::chrono::milliseconds{20};

constexpr std::string_view looked_program = "egb_lock_looked";
constexpr std::string_view state_program = "egb_lock_state";
constexpr std::string_view watch_program = "egb_lock_watch";
constexpr std::string_view forget_program = "egb_lock_forget";

/// Text behind the record; empty when it is not there.
std::string text_behind(const egb_lock_created& created, host::EventSource::Record bytes, std::size_t at,
                        std::size_t length) {
    const auto text = bytes.subspan(sizeof(created));
    if (at > text.size() || text.size() - at < length) {
        return {};
    }
    std::string found(length, '\0');
    std::memcpy(found.data(), text.data() + at, length);
    return found;
}

/// The first two strings, as one path.
std::string path_behind(const egb_lock_created& created, host::EventSource::Record bytes) {
    auto all = text_behind(created, bytes, 0, std::size_t{created.base_length} + created.name_length);
    if (all.empty()) {
        return all;
    }
    const bool is_absolute = created.name_length > 0 && all[created.base_length] == '/';
    return is_absolute ? all : all.insert(created.base_length, "/");
}

/// The third: the creator's control group.
std::string group_behind(const egb_lock_created& created, host::EventSource::Record bytes) {
    const auto at = std::size_t{created.base_length} + created.name_length;
    return printable(host::path_of_names(text_behind(created, bytes, at, created.cgroup_length)));
}

bool was_made_new(std::uint16_t way) {
    return way == EGB_LOCK_BY_OPEN || way == EGB_LOCK_BY_SYMLINK || way == EGB_LOCK_BY_MKDIR;
}

/// As stat(2) has it. What it has of a file on overlayfs is made up.
bool is_on_device(const host::FileSight& sight, std::uint32_t device) {
    constexpr unsigned minor_bits = 20;
    return sight.file_system == "overlay" ||
           sight.id.device == makedev(device >> minor_bits, device & ((1U << minor_bits) - 1));
}

/// Root's files may be anybody's soon after; others cannot give theirs away.
bool may_be_of(std::uint32_t creator, std::uint32_t owner) {
    return creator == 0 || creator == owner;
}

/// Whether what was found under the name is what was made: a new file is born then, and its creator's; one
/// that was given a name has changed as often as the kernel side knows. A name may lead elsewhere by now: to
/// a file of somebody else, on another device, born at the same tick.
bool is_what_was_made(const egb_lock_created& created, std::uint64_t changed_ns,
                      const host::FileSight& sight) {
    if (sight.id.inode != created.key.inode || sight.type == FileType::other ||
        !is_on_device(sight, created.key.device)) {
        return false;
    }
    if (was_made_new(created.way) && sight.id.born_ns != 0) {
        return static_cast<std::uint64_t>(sight.id.born_ns) == created.changed_ns &&
               may_be_of(created.uid, sight.uid);
    }
    return static_cast<std::uint64_t>(sight.changed_ns) == changed_ns;
}

/// The kernel side tells from within the call that makes it. Whoever makes it may have to wait for a CPU
/// before it has its name, and nothing else happens to it until then; nor ever, where the call fails.
bool may_get_its_name(const egb_lock_created& created, const egb_lock_watched& known, Span age) {
    return was_made_new(created.way) && age < longest_unnamed && (known.flags & EGB_LOCK_IS_TOUCHED) == 0;
}

/// As long as whoever has forked him lives, he may be a part of that one. Who has lost him before stands
/// alone, as a daemon does that forks twice: the first of the elders is further away then, and not his
/// parent.
bool is_fork_of_parent(const egb_lock_created& created, const Elders& elders) {
    return (created.flags & EGB_LOCK_BY_FORK) != 0 && !elders.line.empty() &&
           elders.line.front().pid == created.parent;
}

std::uint32_t lasting_facts_of(const egb_lock_created& created, const Elders& elders) {
    return (is_fork_of_parent(created, elders) ? made_by_fork : 0U) |
           ((created.flags & EGB_LOCK_IS_INFERRED) != 0 ? exclusive_unseen : 0U);
}

std::string summary_of(const Lock& lock) {
    const bool is_lock = (lock.lasting & exclusive_unseen) == 0;
    return formatted("{} by {}", is_lock ? "a lock, created exclusively" : "perhaps a lock, created",
                     way_in_words(lock.way));
}

/// What was not seen to be exclusive is there to be locked by flock or fcntl, once somebody has done so.
bool is_no_lock(std::uint32_t facts) {
    return (facts & exclusive_unseen) != 0 && (facts & was_advisory) != 0;
}

} // namespace

LockKind::LockKind(const host::Surroundings& surroundings, std::vector<Mechanism> mechanisms)
    : surroundings_{surroundings},
      mechanisms_{std::move(mechanisms)},
      observer_{surroundings},
      cleaner_{surroundings, observer_, book_, [this](const Lock& lock) {
                   return ask_kernel(state_program, lock.kernel, 0);
               }} {
    tracker_.stagger_from(surroundings.clock.now());
}

const KindInfo& LockKind::info() const {
    return lockfile::info();
}

void LockKind::configure(const OptionValues& options) {
    tracker_.set_after(options.span("LockAfter"), surroundings_.clock.now());
    observer_.set_names(Names{globs_of(options)});
    observer_.set_most_bytes(options.count("MostBytes"));
    mechanisms_.permit(options.text("See"));
    if (attached_) {
        // A pattern that is missing from the kernel makes for a lock that is not seen, and for nothing worse.
        static_cast<void>(set_patterns());
    }
}

Result<> LockKind::start() {
    if (const auto lack = surroundings_.lineage.lack(); !lack.empty()) {
        return fail(ErrorCode::unsupported, "who forks whom cannot be followed: {}", lack);
    }
    if (auto attached = mechanisms_.attach(); !attached) {
        return attached;
    }
    attached_ = true;
    started_ = surroundings_.clock.wall_now();
    surroundings_.lineage.on_end([this](const ProcessIdentity& process) {
        on_end(process);
    });
    return set_patterns();
}

Result<> LockKind::set_patterns() {
    const auto patterns = observer_.names().for_kernel();
    return events().replace("egb_lock_patterns", std::as_bytes(std::span{patterns.keys}),
                            std::as_bytes(std::span{patterns.values}));
}

std::vector<Capability> LockKind::capabilities() const {
    if (!attached_) {
        return {};
    }
    return {
        {.name = "creations", .works = true, .detail = mechanisms_.description()},
        {.name = "advisory-locks",
         .works = true,
         .detail =
             "tp_btf/{flock_lock_inode,posix_lock_inode} tell which files are locked by flock or fcntl"},
        {.name = "owners",
         .works = true,
         .detail = "the lineage says who made a lock, whom that process has forked since, and how they died"},
    };
}

Result<bool> LockKind::drain() {
    const auto taken = events().drain(batch, [this](host::EventSource::Record record) {
        on_record(record);
    });
    look_at_some();
    if (!taken) {
        return std::unexpected(taken.error());
    }
    return *taken == batch;
}

void LockKind::on_record(host::EventSource::Record record) {
    const auto header = front_of<egb_header>(record);
    if (header && header->type == EGB_LOCK_TOUCHED) {
        if (const auto touched = front_of<egb_lock_touched>(record)) {
            on_touched(*touched);
        }
    } else if (header && header->type == EGB_LOCK_CREATED) {
        if (const auto created = front_of<egb_lock_created>(record)) {
            on_created(*created,
                       {.path = path_behind(*created, record), .group = group_behind(*created, record)});
        }
    }
}

void LockKind::on_created(const egb_lock_created& created, const Strings& strings) {
    if (is_us(created.creator)) {
        return; // it was claimed, and is put back, or was restored and is nobody's that we know
    }
    if (!is_wanted(created, strings.path)) {
        forget(created.key, created.header.time_ns);
        return;
    }
    // Its creator first, for a process may be gone the sooner.
    Newcomer newcomer{
        .created = created, .path = strings.path, .creator = creator_of(created, strings.group)};
    if (!take_up(newcomer)) {
        unnamed_.push_back(std::move(newcomer));
    }
}

bool LockKind::is_wanted(const egb_lock_created& created, std::string_view path) const {
    const bool has_place = (created.flags & EGB_LOCK_PATH_CUT) == 0 && !path.empty();
    return has_place && observer_.names().may_be_lock(path) && book_.made_by(created.uid) < most_of_a_user &&
           unnamed_.size() < most_unnamed;
}

/// False when it may yet get its name. Most are not there any more: most locks are as short as that.
bool LockKind::take_up(const Newcomer& newcomer) {
    const egb_lock_created& created = newcomer.created;
    const auto sight =
        surroundings_.files.look({.mount_namespace = created.mount_namespace, .path = newcomer.path});
    // Asked afterwards: what happens to it in between makes for a difference.
    const auto known = ask_kernel(state_program, created.key, created.header.time_ns);
    const bool is_watched = known && known->made_ns == created.header.time_ns;
    if (is_watched && sight && is_what_was_made(created, known->changed_ns, *sight)) {
        take_in(lock_of(newcomer, *sight));
        return true;
    }
    const Span age = surroundings_.clock.now() - instant_of(created.header.time_ns);
    if (is_watched && may_get_its_name(created, *known, age)) {
        return false;
    }
    forget(created.key, created.header.time_ns);
    return true;
}

void LockKind::take_in(Lock lock) {
    const std::string key = lock.key();
    surroundings_.memory.remember(info().name, key, to_text(lock));
    book_.add(std::move(lock));
    look_at(key);
}

void LockKind::look_at_unnamed() {
    std::erase_if(unnamed_, [this](const Newcomer& newcomer) {
        return take_up(newcomer);
    });
}

Lock LockKind::lock_of(const Newcomer& newcomer, const host::FileSight& sight) const {
    const egb_lock_created& created = newcomer.created;
    const ProcessIdentity parent{.boot_id = surroundings_.procfs.boot_id(),
                                 .pid = created.parent,
                                 .start_ticks = host::ProcessLookup::ticks_of(created.parent_start_ns)};
    auto elders = elders_of(
        {.creator = newcomer.creator->id, .parent = parent, .at = instant_of(created.header.time_ns)},
        surroundings_.lineage, surroundings_.procfs);
    const auto lasting = lasting_facts_of(created, elders);
    return {.kernel = created.key,
            .stamp_ns = created.header.time_ns,
            .made_ns = created.header.time_ns,
            .creator_forked_ns = created.creator_forked_ns,
            .way = created.way,
            .inner_pid = created.inner_pid,
            .pid_namespace = created.pid_namespace,
            .name = {.mount_namespace = created.mount_namespace, .path = sight.path},
            .id = sight.id,
            .changed_ns = sight.changed_ns,
            .looked_ns = sight.changed_ns,
            .creator = newcomer.creator,
            .elders = std::move(elders),
            .lasting = lasting,
            .ownerless = {}};
}

/// A claim that is given up makes the lock anew, under its own name.
bool LockKind::is_us(std::int32_t pid) const {
    const auto us = surroundings_.holders.ourselves();
    return us && us->pid == pid;
}

/// What the kernel side has told is all there is of one that has ended already. It is enough to know what his
/// unit wishes; where he was in none by the unified hierarchy, there may be another that knows of one.
ProcessPtr LockKind::creator_of(const egb_lock_created& created, std::string_view group) {
    host::ProcessLookup lookup{surroundings_.procfs};
    auto found = lookup.find(created.creator, host::ProcessLookup::ticks_of(created.creator_start_ns));
    if (found->known) {
        return found;
    }
    Process process = *found;
    process.uid = created.uid;
    process.comm = printable({created.comm, ::strnlen(created.comm, sizeof(created.comm))});
    auto names = host::names_of_cgroup(group);
    process.known = !names.unit.empty();
    process.unit = std::move(names.unit);
    process.container = std::move(names.container);
    process.around = std::move(names.around);
    return std::make_shared<const Process>(std::move(process));
}

void LockKind::on_touched(const egb_lock_touched& touched) {
    if (const Lock* const lock = book_.find(touched.key); lock != nullptr) {
        to_look_at_.insert(lock->key());
    } else if (const auto newcomer = std::ranges::find(unnamed_, touched.made_ns, &Newcomer::made_ns);
               newcomer != unnamed_.end()) {
        static_cast<void>(take_up(*newcomer)); // it has its name now, or never gets one
        unnamed_.erase(newcomer);
    } else {
        forget(touched.key, touched.made_ns);
    }
}

void LockKind::on_end(const ProcessIdentity& process) {
    const auto death = surroundings_.lineage.death_of(process);
    const bool was_killed = death && *death && !(*death)->by_itself();
    for (const std::string& key : book_.owned_by(process)) {
        Lock* const lock = book_.find(key);
        const bool is_heir =
            process != lock->creator->id && !std::ranges::contains(lock->elders.line, process);
        lock->lasting |= is_heir && !was_killed ? heir_exited : 0U;
        lock->ended = death && *death ? std::max(lock->ended, (*death)->at) : lock->ended;
        to_look_at_.insert(key);
    }
    look_at_some();
}

/// The rest has its turn at the next sweep, which comes soon; one after the other, so that none waits for
/// ever.
void LockKind::look_at_some() {
    for (std::size_t looks = 0; looks < most_looks && !to_look_at_.empty(); ++looks) {
        const auto next = to_look_at_.upper_bound(looked_at_);
        looked_at_ = to_look_at_.extract(next == to_look_at_.end() ? to_look_at_.begin() : next).value();
        look_at(looked_at_);
    }
    tracker_.look_again(next_turn());
}

std::optional<Instant> LockKind::next_turn() const {
    const Instant now = surroundings_.clock.now();
    if (!to_look_at_.empty()) {
        return now;
    }
    return unnamed_.empty() ? std::nullopt : std::optional{now + between_looks_at_unnamed};
}

Result<> LockKind::sweep(SweepReason reason) {
    if (reason == SweepReason::startup) {
        recall();
    }
    const auto keys = reason == SweepReason::timer ? tracker_.due(surroundings_.clock.now()) : book_.keys();
    to_look_at_.insert(keys.begin(), keys.end());
    look_at_unnamed();
    look_at_some();
    return {};
}

void LockKind::recall() {
    const auto memories = surroundings_.memory.recall(info().name);
    if (!memories) {
        return; // locks of before are then nobody's concern
    }
    for (const Memory& memory : *memories) {
        recall_one(memory);
    }
}

/// As it is in this boot.
std::optional<Lock> LockKind::remembered(const Memory& memory) const {
    auto lock = lock_from(memory);
    if (lock && memory.boot != surroundings_.procfs.boot_id()) {
        lock->stamp_ns = lock->made_ns;
        lock->name.mount_namespace = 0; // there is none of that boot: the machine's own is looked into
        lock->lasting |= earlier_boot;
    }
    return lock;
}

/// Whether one who owned it after its creator was killed may have exited meanwhile: how he has ended, nobody
/// has waited to hear. The kernel side knows, as long as it knows of the creator.
bool LockKind::may_have_lost_an_heir(const Lock& lock) const {
    return lock.outlived != 0 && (lock.lasting & (earlier_boot | creator_exited)) == 0 &&
           !surroundings_.lineage.death_of(lock.creator->id);
}

/// What was watched all the while, over a restart of the daemon, is as it would have been without; what was
/// not may have been taken by another. Of another boot no kernel side is left that could have watched: there
/// it is enough that the daemon has not let go of it before the end.
void LockKind::recall_one(const Memory& memory) {
    auto lock = remembered(memory);
    if (!lock) {
        surroundings_.memory.forget(info().name, memory.key);
        return;
    }
    if (book_.find(memory.key) != nullptr) {
        return;
    }
    const auto known = ask_kernel(state_program, lock->kernel, lock->stamp_ns);
    const bool is_watched = known && known->made_ns == lock->stamp_ns;
    const bool had_gap = memory.boot == surroundings_.procfs.boot_id() ? !is_watched : lock->let_go != 0;
    lock->lasting |= had_gap ? unwatched : 0U;
    lock->lasting |= may_have_lost_an_heir(*lock) ? heir_exited : 0U;
    lock->let_go = 0;
    if (!is_watched) {
        static_cast<void>(ask_kernel(watch_program, lock->kernel, lock->stamp_ns));
    }
    surroundings_.memory.remember(info().name, memory.key, to_text(*lock));
    book_.add(std::move(*lock));
}

/// The rows, and not what is in the book: those of a kind that does not run are let go, too. Whether there
/// will be a restart, for which the kernel side goes on, or the machine goes down, nobody knows here.
void LockKind::let_go() {
    const auto memories = surroundings_.memory.recall(info().name);
    for (const Memory& memory : memories.value_or(std::vector<Memory>{})) {
        if (auto lock = remembered(memory)) {
            lock->let_go = 1;
            surroundings_.memory.remember(info().name, memory.key, to_text(*lock));
        }
    }
}

void LockKind::look_at(const std::string& key) {
    Lock* const lock = book_.find(key);
    if (lock == nullptr) {
        return;
    }
    const auto known = ask_kernel(looked_program, lock->kernel, 0);
    if (known && known->made_ns != lock->stamp_ns && is_us(known->maker)) {
        lock->stamp_ns = known->made_ns;
    }
    if (known && is_of_another(*known, *lock)) {
        drop(key);
        return;
    }
    if (!known) {
        static_cast<void>(ask_kernel(watch_program, lock->kernel, lock->stamp_ns));
    }
    const auto lasting = [lock] {
        return std::tuple{lock->lasting, lock->changed_ns, lock->ownerless_changed_ns, lock->creator_ended_ns,
                          lock->outlived};
    };
    const auto before = lasting();
    lock->lasting |= facts_of(known);
    lock->touched_ns = known ? known->touched_ns : 0;
    if (is_no_lock(lock->lasting)) {
        drop(key);
        return;
    }
    const auto look = observer_.look_at(*lock);
    if (!look) {
        drop(key);
        return;
    }
    settle(*lock, *look);
    if (lasting() != before) {
        surroundings_.memory.remember(info().name, key, to_text(*lock));
    }
}

void LockKind::settle(Lock& lock, const Look& look) {
    const std::string key = lock.key();
    lock.looked_ns = look.changed_ns;
    lock.changed_ns = (lock.lasting & earlier_boot) != 0 ? lock.changed_ns : look.changed_ns;
    auto owners = look.ownership.living | std::views::take(most_awaited) | std::ranges::to<std::vector>();
    for (const ProcessIdentity& owner : owners) {
        surroundings_.lineage.watch(owner);
    }
    book_.note_owners(key, std::move(owners));
    tell(SightingType::seen, look.seen, lock.creator);
}

/// The lock is a copy: who asks changes nothing, neither what is known of it nor what is told of it.
std::optional<OwnerReport> LockKind::owners_of(const FileIdentity& file) {
    const Lock* const known = book_.find(file);
    if (known == nullptr) {
        return std::nullopt;
    }
    Lock lock = *known;
    const auto watched = ask_kernel(state_program, lock.kernel, 0);
    if (watched && is_of_another(*watched, lock)) {
        return std::nullopt;
    }
    lock.lasting |= facts_of(watched);
    lock.touched_ns = watched ? watched->touched_ns : 0;
    const auto look = observer_.glance_at(lock);
    if (!look) {
        return std::nullopt;
    }
    auto claimants = claimants_of(lock, look->ownership, surroundings_);
    return OwnerReport{.kind = &info(),
                       .key = lock.key(),
                       .summary = summary_of(lock),
                       .verdict = ownership_by(look->seen.record, !look->ownership.living.empty()),
                       .since = made_at(lock),
                       .claimants = std::move(claimants.named),
                       .unnamed = claimants.unnamed,
                       .evidence = evidence_of_ownership(look->seen.record),
                       .ghost = 0};
}

std::optional<Disclaimer> LockKind::why_not(const AskedFile& file) const {
    const auto is_with_users_mounts = [this](std::int32_t pid) {
        const auto root = surroundings_.procfs.mount_root(pid);
        return root && root->is_users;
    };
    return disclaimer_of(
        file, {.names = observer_.names(),
               .is_seen_there = mechanisms_.see(surroundings_.files.file_system_of(file.id.device)),
               .is_followed =
                   [&] {
                       return std::ranges::none_of(file.holders, is_with_users_mounts);
                   },
               .started = started_});
}

/// The clock of an earlier boot says nothing in this one.
std::optional<WallTime> LockKind::made_at(const Lock& lock) const {
    if ((lock.lasting & earlier_boot) == 0) {
        return surroundings_.clock.wall(instant_of(lock.made_ns));
    }
    if (!was_made_new(lock.way) || lock.id.born_ns == 0) {
        return std::nullopt;
    }
    return WallTime{std::chrono::duration_cast<std::chrono::microseconds>(Span{lock.id.born_ns})};
}

void LockKind::drop(const std::string& key) {
    const Lock* const lock = book_.find(key);
    if (lock == nullptr) {
        return;
    }
    const SeenLock seen{.record = record_of(lock->id), .path = {}};
    forget(lock->kernel, lock->stamp_ns);
    surroundings_.memory.forget(info().name, key);
    book_.remove(key);
    tell(SightingType::gone, seen, nullptr);
}

void LockKind::tell(SightingType type, const SeenLock& seen, ProcessPtr creator) {
    const auto bytes = bytes_of(seen, type == SightingType::gone ? RecordType::gone : RecordType::lock);
    tracker_.observe({.type = type,
                      .source = Source::sweep,
                      .at = surroundings_.clock.now(),
                      .record = bytes,
                      .process = std::move(creator)});
}

void LockKind::forget(const egb_lock_key& key, std::uint64_t made_ns) {
    static_cast<void>(ask_kernel(forget_program, key, made_ns));
}

std::optional<egb_lock_watched> LockKind::ask_kernel(std::string_view program, const egb_lock_key& key,
                                                     std::uint64_t made_ns) {
    egb_lock_query query{};
    query.key = key;
    query.made_ns = made_ns;
    const auto answer = events().call(program, std::as_writable_bytes(std::span{&query, 1}));
    return answer && *answer == 0 ? std::optional{query.watched} : std::nullopt;
}

} // namespace egb::lockfile
