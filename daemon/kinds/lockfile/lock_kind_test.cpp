// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lock_kind.hpp"

#include "core/format.hpp"
#include "harness/fake_events.hpp"
#include "harness/fake_surroundings.hpp"
#include "kinds/lockfile/evidence.hpp"
#include "kinds/lockfile/lockfile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::lockfile {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int32_t shell = 90;
constexpr std::int32_t maker = 100;
constexpr std::int32_t child = 101;
constexpr std::uint64_t start_ticks = 500;
constexpr std::uint64_t ns_per_tick = 10'000'000;
constexpr std::uint32_t space = 4026531841;
constexpr std::string_view path = "/srv/app/app.lock";
constexpr std::uint64_t inode = 77;

/// A process, 100, started by a shell, 90, makes /srv/app/app.lock; what becomes of both the test says.
class LockKindTest : public testing::Test {
protected:
    LockKindTest() {
        add_process(shell, 1, "sh");
        add_process(maker, shell, "app");
        around_.proc.write("locks", "");
        watch_nothing();
        configure({});
        start();
    }

    void start() {
        make_kind();
        EXPECT_TRUE(kind_->start());
        EXPECT_TRUE(kind_->sweep(SweepReason::startup));
    }

    void make_kind() {
        auto events = std::make_unique<test::FakeEvents>();
        events_ = events.get();
        for (const std::string_view program : {"egb_lock_looked", "egb_lock_state"}) {
            events_->answer(program, [this](std::span<std::byte> context) {
                egb_lock_query query{};
                std::memcpy(&query, context.data(), sizeof(query));
                query.watched = watched_;
                std::memcpy(context.data(), &query, sizeof(query));
                return watched_.made_ns == 0 ? 1U : 0U;
            });
        }
        for (const std::string_view program : {"egb_lock_watch", "egb_lock_forget"}) {
            events_->answer(program, [this, program](std::span<std::byte> context) {
                egb_lock_query query{};
                std::memcpy(&query, context.data(), sizeof(query));
                watched_.made_ns = program == "egb_lock_watch" ? query.made_ns : 0;
                return 0U;
            });
        }
        around_.lineage.leave_alone();
        std::vector<Mechanism> mechanisms;
        mechanisms.push_back({.name = "fexit", .sees = "all", .events = std::move(events)});
        kind_ = std::make_unique<LockKind>(around_.all(), std::move(mechanisms));
        kind_->configure(options_);
    }

    void watch_nothing() { watched_ = {}; }

    void configure(std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
        for (const auto& [name, value] : values) {
            EXPECT_TRUE(options_.set(name, value)) << name;
        }
        if (kind_) {
            kind_->configure(options_);
        }
    }

    void add_process(std::int32_t pid, std::int32_t parent, const std::string& comm) {
        around_.proc.add({.pid = pid,
                          .start_ticks = start_ticks,
                          .comm = comm,
                          .exe = formatted("/usr/bin/{}", comm),
                          .parent = parent});
        around_.lineage.set_forker(identity(pid), identity(parent));
    }

    /// The maker's parent is one.
    void add_init_of_container() const {
        around_.proc.add({.pid = shell,
                          .start_ticks = start_ticks,
                          .comm = "app",
                          .exe = "/usr/bin/app",
                          .parent = 1,
                          .inner_pids = "\t1"});
    }

    [[nodiscard]] ProcessIdentity identity(std::int32_t pid) const {
        return {.boot_id = around_.procfs.boot_id(), .pid = pid, .start_ticks = start_ticks};
    }

    [[nodiscard]] std::int64_t wall_ns() const {
        return std::chrono::nanoseconds{around_.clock.wall_now().time_since_epoch()}.count();
    }

    [[nodiscard]] static host::FileName name() {
        return {.mount_namespace = space, .path = std::string{path}};
    }

    /// The lock as it is in the file system.
    host::FileSight& sight() { return sight_; }
    void put() { around_.files.put(name(), sight_); }

    /// The process makes it, and the kernel side tells.
    void make(std::uint16_t way = EGB_LOCK_BY_OPEN) {
        sight_ = {.id = {.device = 8, .inode = inode, .born_ns = wall_ns()},
                  .path = std::string{path},
                  .changed_ns = wall_ns(),
                  .type = way == EGB_LOCK_BY_MKDIR     ? FileType::directory
                          : way == EGB_LOCK_BY_SYMLINK ? FileType::link
                                                       : FileType::regular,
                  .mode = 0600,
                  .uid = 1000,
                  .gid = 1000,
                  .size = 0,
                  .links = way == EGB_LOCK_BY_MKDIR ? 2U : 1U,
                  .file_system = "ext4",
                  .is_local = true,
                  .is_mount_point = false,
                  .is_empty = true};
        put();
        tell_created(way, "/srv/app", "app.lock", static_cast<std::uint64_t>(wall_ns()));
    }

    void tell_created(std::uint16_t way, std::string_view base, std::string_view last,
                      std::uint64_t changed_ns) {
        const auto now = now_ns();
        egb_lock_created created{};
        created.header = {
            .type = EGB_LOCK_CREATED,
            .size = static_cast<std::uint16_t>(sizeof(created) + base.size() + last.size() + group_.size()),
            .reserved = 0,
            .time_ns = now};
        created.key = {.inode = inode, .device = 8, .reserved = 0};
        created.changed_ns = changed_ns;
        created.creator_start_ns = creator_start_ns_;
        created.parent_start_ns = start_ticks * ns_per_tick;
        created.creator = creator_;
        created.parent = parent_;
        created.inner_pid = inner_pid_;
        created.uid = 1000;
        created.creator_forked_ns = 1;
        created.flags = flags_;
        created.mount_namespace = space;
        created.way = way;
        created.base_length = static_cast<std::uint16_t>(base.size());
        created.name_length = static_cast<std::uint16_t>(last.size());
        created.cgroup_length = static_cast<__u32>(group_.size());
        auto bytes = test::bytes_of(created);
        for (const std::string_view text : {base, last, std::string_view{group_}}) {
            const auto raw = std::as_bytes(std::span{text});
            bytes.insert(bytes.end(), raw.begin(), raw.end());
        }
        watched_ = {};
        watched_.maker = creator_;
        watched_.made_ns = now;
        watched_.touched_ns = now;
        watched_.changed_ns = changed_ns + changed_later_ns_;
        watched_.flags = flags_later_;
        events_->send_bytes(std::move(bytes));
        EXPECT_TRUE(kind_->drain());
    }

    /// As many more, like the one that was made.
    void remember_more(std::uint64_t count) {
        const auto memories = *around_.memory.recall("lockfile");
        for (std::uint64_t number = 1; number <= count; ++number) {
            auto lock = lock_from(memories.at(0)).value();
            lock.kernel.inode += number;
            lock.id.inode += number;
            lock.name.path = formatted("/srv/app/{}.lock", number);
            around_.memory.remember("lockfile", lock.key(), to_text(lock));
            auto sight = sight_;
            sight.id = lock.id;
            around_.files.put(lock.name, sight);
        }
    }

    void touch() {
        egb_lock_touched touched{};
        touched.header = {
            .type = EGB_LOCK_TOUCHED, .size = sizeof(touched), .reserved = 0, .time_ns = watched_.made_ns};
        touched.key = {.inode = inode, .device = 8, .reserved = 0};
        touched.made_ns = watched_.made_ns;
        events_->send(touched);
        EXPECT_TRUE(kind_->drain());
    }

    /// Somebody does something to it, of which the kernel side has not told yet, and an hour passes on the
    /// wall.
    void change_and_sleep() {
        around_.clock.advance(1s);
        sight_.changed_ns = wall_ns();
        put();
        around_.clock.advance_wall(1h);
    }

    void die(std::int32_t pid, int wait_status, std::vector<ProcessIdentity> heirs = {}) {
        around_.lineage.set_heirs(identity(pid), std::move(heirs));
        around_.proc.remove(pid);
        around_.lineage.die(identity(pid), {.at = around_.clock.now(), .wait_status = wait_status});
    }

    /// An heir that others are asked about.
    void end(std::int32_t pid, std::int32_t of) {
        around_.lineage.set_heirs(identity(of), std::vector<ProcessIdentity>{});
        around_.lineage.die(identity(pid), {.at = around_.clock.now(), .wait_status = SIGKILL});
    }

    [[nodiscard]] std::uint64_t now_ns() const {
        return static_cast<std::uint64_t>(around_.clock.now().time_since_epoch().count());
    }

    /// While the daemon is down, and somebody changes it; by its ctime, before that.
    void die_and_be_changed_in_that_tick() {
        around_.lineage.leave_alone();
        around_.clock.advance(1h);
        die(maker, SIGKILL);
        sight().changed_ns = wall_ns() - 4'000'000;
        put();
    }

    Changes tick_after(Span span) {
        around_.clock.advance(span);
        EXPECT_TRUE(kind_->sweep(SweepReason::timer));
        return kind_->tracker().tick(around_.clock.now());
    }

    /// The one ghost that there must be.
    Ghost ghost_after(Span span) {
        auto changes = tick_after(span);
        EXPECT_THAT(changes.ghosts, SizeIs(1));
        return changes.ghosts.empty() ? Ghost{} : std::move(changes.ghosts.front());
    }

    /// Suspected, and because of that.
    void expect_doubt(const Ghost& ghost, const EvidenceRule& rule) {
        EXPECT_EQ(ghost.grade, Grade::suspected) << rule.name;
        EXPECT_TRUE(has(ghost, rule)) << rule.name;
    }

    static bool has(const Ghost& ghost, const EvidenceRule& rule) {
        return std::ranges::contains(ghost.evidence, &rule, &Evidence::rule);
    }

    Outcome clean(Ghost ghost) {
        ghost.id = 4711;
        return kind_->cleaner()->clean(std::array<GhostPtr, 1>{std::make_shared<const Ghost>(ghost)}).at(0);
    }

    test::FakeSurroundings around_;
    OptionValues options_{info().options, info().lists};
    host::FileSight sight_;
    egb_lock_watched watched_{};
    std::int32_t creator_{maker};
    std::int32_t parent_{shell}; ///< of the creator, when it made it
    std::uint64_t creator_start_ns_{start_ticks * ns_per_tick};
    std::uint16_t flags_{};
    std::string group_; ///< names along the path of the creator's control group
    std::int32_t inner_pid_{maker};
    std::uint64_t changed_later_ns_{}; ///< after it was told
    std::uint32_t flags_later_{};
    test::FakeEvents* events_{};
    std::unique_ptr<LockKind> kind_;
};

TEST_F(LockKindTest, the_owner_is_killed_and_its_lock_is_proven_to_be_a_ghost) {
    make();
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    EXPECT_TRUE(around_.lineage.is_watched(identity(maker)));
    die(maker, SIGKILL);
    EXPECT_THAT(tick_after(9s).ghosts, IsEmpty());
    EXPECT_EQ(kind_->tracker().deadline(), around_.clock.now() + 1s);
    const Ghost ghost = ghost_after(1s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    EXPECT_EQ(ghost.reach, Reach::cleans);
    EXPECT_EQ(ghost.summary, "/srv/app/app.lock left by app (pid 100), killed by SIGKILL");
    EXPECT_EQ(ghost.since, around_.clock.now() - 10s);
    EXPECT_EQ(ghost.holders.at(0).process->unit, "fake.service");
    EXPECT_TRUE(has(ghost, killed));
    EXPECT_TRUE(has(ghost, unheld));
}

TEST_F(LockKindTest, of_one_who_was_killed_at_once_the_kernel_side_knows_the_unit) {
    group_ = std::string("app.service\0app.slice\0", 22);
    around_.proc.remove(maker);
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    const Process& creator = *ghost.holders.at(0).process;
    EXPECT_TRUE(creator.known);
    EXPECT_EQ(creator.unit, "app.service");
    EXPECT_THAT(creator.around, testing::ElementsAre("app.slice"));
    EXPECT_EQ(creator.uid, 1000U);
    EXPECT_EQ(creator.exe, "");
}

TEST_F(LockKindTest, one_who_was_killed_at_once_outside_of_any_unit_is_not_known) {
    group_ = std::string("somewhere\0", 10);
    around_.proc.remove(maker);
    make();
    die(maker, SIGKILL);
    EXPECT_FALSE(ghost_after(10s).holders.at(0).process->known) << "other hierarchies may know a unit";
}

TEST_F(LockKindTest, what_was_not_seen_to_be_exclusive_is_only_ever_reported) {
    flags_ = EGB_LOCK_IS_INFERRED;
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, unseen);
    EXPECT_FALSE(has(ghost, created_exclusively));
    EXPECT_TRUE(has(ghost, killed));
    EXPECT_EQ(ghost.reach, Reach::reports) << "not on request either";
    start();
    EXPECT_EQ(ghost_after(10s).reach, Reach::reports) << "after a restart, too";
}

TEST_F(LockKindTest, what_was_not_seen_to_be_exclusive_and_is_locked_otherwise_is_no_lock) {
    flags_ = EGB_LOCK_IS_INFERRED;
    make();
    EXPECT_EQ(kind_->tracker().tracked(), 1U);
    watched_.flags = EGB_LOCK_IS_ADVISORY;
    touch();
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
    EXPECT_THAT(*around_.memory.recall("lockfile"), IsEmpty());
}

TEST_F(LockKindTest, of_a_creator_who_was_gone_when_it_was_heard_of_nothing_is_said) {
    flags_ = EGB_LOCK_IS_INFERRED;
    creator_start_ns_ = 0;
    around_.proc.remove(maker);
    around_.lineage.know_nothing_of({.boot_id = around_.procfs.boot_id(), .pid = maker, .start_ticks = 0});
    make();
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    const auto report = kind_->owners_of(sight_.id);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, OwnerVerdict::unknown);
    EXPECT_EQ(report->summary, "perhaps a lock, created by open");
}

TEST_F(LockKindTest, how_it_sees_is_a_capability_and_chosen_by_an_option) {
    const auto capabilities = kind_->capabilities();
    const auto creations = std::ranges::find(capabilities, "creations", &Capability::name);
    ASSERT_NE(creations, capabilities.end());
    EXPECT_EQ(creations->detail, "by fexit: all");
    EXPECT_TRUE(options_.set("See", "timestamps"));
    std::vector<Mechanism> mechanisms;
    mechanisms.push_back({.name = "fexit", .sees = "all", .events = std::make_unique<test::FakeEvents>()});
    LockKind other{around_.all(), std::move(mechanisms)};
    other.configure(options_);
    const auto started = other.start();
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message, HasSubstr("not by fexit: See=timestamps"));
    EXPECT_THAT(other.capabilities(), IsEmpty());
}

TEST_F(LockKindTest, it_goes_into_quarantine) {
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    ASSERT_TRUE(kind_->cleaner()->confirm(ghost));
    around_.files.remove(name());
    const auto outcome = clean(ghost);
    EXPECT_EQ(outcome.verdict, Verdict::cleaned) << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr("ghostctl restore 4711"));
    EXPECT_TRUE(around_.quarantine.wards().contains(4711));
}

TEST_F(LockKindTest, what_the_kernel_side_has_seen_and_not_told_yet_counts_at_the_last_look) {
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    const auto sound = watched_;
    for (auto happens : {+[](egb_lock_watched& watched) {
                             watched.flags |= EGB_LOCK_IS_ADVISORY;
                         },
                         +[](egb_lock_watched& watched) {
                             watched.flags |= EGB_LOCK_IS_REMADE;
                         },
                         +[](egb_lock_watched& watched) {
                             watched.made_ns += 1;
                         },
                         +[](egb_lock_watched& watched) {
                             watched = {}; // it is watched no more
                         }}) {
        watched_ = sound;
        EXPECT_TRUE(kind_->cleaner()->confirm(ghost));
        happens(watched_);
        EXPECT_FALSE(kind_->cleaner()->confirm(ghost));
        EXPECT_EQ(clean(ghost).verdict, Verdict::refused) << "after it was confirmed";
    }
}

TEST_F(LockKindTest, what_it_was_judged_with_is_no_news_to_whoever_asks_for_it_to_be_cleaned) {
    make();
    watch_nothing();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, not_watched);
    watch_nothing(); // there is no room to watch it
    EXPECT_TRUE(kind_->cleaner()->confirm(ghost));
}

TEST_F(LockKindTest, success_is_never_taken_for_granted) {
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(clean(ghost).verdict, Verdict::failed) << "the file is still there";
}

TEST_F(LockKindTest, an_heir_keeps_it) {
    make();
    die(maker, SIGKILL, {identity(child)});
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    end(child, maker);
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    EXPECT_EQ(ghost.since, around_.clock.now() - 10s) << "since the heir is dead, not since its maker is";
}

TEST_F(LockKindTest, what_a_command_of_a_script_has_made_is_the_scripts) {
    make(EGB_LOCK_BY_MKDIR);
    die(maker, 0);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty()) << "the script runs";
    EXPECT_TRUE(around_.lineage.is_watched(identity(shell)));
    die(shell, SIGKILL);
    expect_doubt(ghost_after(10s), exited);
}

/// `(app &)` in a script: who has forked the creator is a subshell, which is gone when the lock is made.
class OrphansLockTest : public LockKindTest {
protected:
    static constexpr std::int32_t subshell = 95;
    static constexpr std::int32_t login = 80; ///< leader of the session

    OrphansLockTest() {
        add_process(login, 1, "login");
        add_process(shell, login, "sh");
        add_process(subshell, shell, "sh");
        add_process(maker, 1, "app");
        around_.lineage.set_forker(identity(maker), identity(subshell));
        parent_ = 1;
    }

    void lose_forker_of(std::int32_t pid) { around_.lineage.lose_forker(identity(pid)); }

    void lead_session() {
        around_.lineage.set_session(identity(maker), login);
        around_.lineage.set_identity(identity(login));
    }

    void make_after_its_end() {
        die(subshell, 0);
        around_.clock.advance(1s);
        make();
    }
};

TEST_F(OrphansLockTest, is_the_scripts) {
    make_after_its_end();
    die(maker, 0);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty()) << "the script runs";
    die(shell, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, exited);
    EXPECT_FALSE(has(ghost, unknown_owners));
    EXPECT_TRUE(has(ghost, without_owner));
}

TEST_F(OrphansLockTest, is_of_whoever_has_started_the_script_once_that_has_exited) {
    make_after_its_end();
    die(maker, 0);
    die(shell, 0);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    die(login, 0);
    EXPECT_FALSE(has(ghost_after(10s), unknown_owners)) << "it was forked by init";
}

TEST_F(OrphansLockTest, is_also_of_those_whom_the_subshell_has_forked_since) {
    make();
    die(subshell, 0, {identity(child)});
    die(shell, SIGKILL);
    die(maker, 0);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty()) << "it lived when the lock was made";
    end(child, subshell);
    expect_doubt(ghost_after(10s), exited);
}

TEST_F(OrphansLockTest, is_not_the_scripts_when_its_creator_is_killed) {
    flags_ = EGB_LOCK_BY_FORK; // as a daemon is that has forked twice
    make_after_its_end();
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(OrphansLockTest, is_not_called_ownerless_where_a_forker_is_not_known) {
    lose_forker_of(subshell);
    make_after_its_end();
    die(maker, 0);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, unknown_owners);
    EXPECT_FALSE(has(ghost, without_owner));
    EXPECT_EQ(clean(ghost).verdict, Verdict::refused) << "not on request either";
}

TEST_F(OrphansLockTest, that_nobody_knows_the_next_does_not_matter_while_he_has_not_inherited) {
    lose_forker_of(shell);
    make_after_its_end();
    die(maker, 0);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    die(shell, SIGKILL);
    EXPECT_FALSE(has(ghost_after(10s), unknown_owners));
}

TEST_F(OrphansLockTest, is_not_called_ownerless_where_nobody_knows_how_an_elder_has_ended) {
    make_after_its_end();
    die(maker, 0);
    around_.lineage.set_heirs(identity(shell), std::vector<ProcessIdentity>{});
    around_.lineage.know_nothing_of(identity(shell));
    touch();
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty()) << "who had forked him lives";
    die(login, 0);
    expect_doubt(ghost_after(10s), unknown_owners);
}

TEST_F(OrphansLockTest, is_its_sessions_where_a_forker_is_not_known) {
    lose_forker_of(subshell);
    lead_session();
    make_after_its_end();
    die(maker, 0);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty()) << "the leader of the session lives";
    EXPECT_TRUE(around_.lineage.is_watched(identity(login)));
    die(login, 0, {identity(child)});
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty()) << "somebody is left in the session";
    end(child, login);
    expect_doubt(ghost_after(10s), unknown_owners);
}

TEST_F(OrphansLockTest, is_not_called_ownerless_because_the_leader_was_killed) {
    lose_forker_of(subshell);
    lead_session();
    make_after_its_end();
    die(maker, 0);
    die(login, SIGKILL);
    expect_doubt(ghost_after(10s), unknown_owners);
}

TEST_F(OrphansLockTest, is_not_its_sessions_when_its_creator_is_killed) {
    lose_forker_of(subshell);
    lead_session();
    make_after_its_end();
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(OrphansLockTest, is_not_of_a_session_that_serves_others) {
    add_process(login, 1, "systemd");
    lose_forker_of(subshell);
    lead_session();
    make_after_its_end();
    die(maker, 0);
    expect_doubt(ghost_after(10s), unknown_owners);
}

TEST_F(OrphansLockTest, is_the_sessions_over_a_restart) {
    lose_forker_of(subshell);
    lead_session();
    make_after_its_end();
    die(maker, 0);
    start();
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    die(login, 0);
    expect_doubt(ghost_after(10s), unknown_owners);
}

TEST_F(LockKindTest, whoever_exits_and_leaves_it_is_suspected_of_a_mistake) {
    make();
    die(shell, 0);
    die(maker, 1 << 8);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, exited);
    EXPECT_EQ(ghost.summary, "/srv/app/app.lock left by app (pid 100), exited with 1");
    EXPECT_EQ(ghost.reach, Reach::cleans) << "on request";
}

TEST_F(LockKindTest, nothing_is_proven_by_what_was_missed) {
    make();
    around_.lineage.die(identity(maker), {.at = around_.clock.now(), .wait_status = SIGKILL});
    around_.proc.remove(maker); // of its heirs nobody knows
    expect_doubt(ghost_after(10s), unknown_owners);
}

TEST_F(LockKindTest, a_lock_that_its_owner_removes_is_forgotten) {
    make();
    around_.files.remove(name());
    touch();
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
    die(maker, SIGKILL);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    EXPECT_THAT(*around_.memory.recall("lockfile"), IsEmpty());
}

TEST_F(LockKindTest, one_that_is_gone_before_it_is_looked_at_is_not_taken_in) {
    flags_later_ = EGB_LOCK_IS_TOUCHED;
    tell_created(EGB_LOCK_BY_OPEN, "/srv/app", "app.lock", 5);
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
    EXPECT_EQ(watched_.made_ns, 0U) << "nor watched any more";
}

TEST_F(LockKindTest, another_file_under_the_name_is_not_the_lock) {
    make();
    die(maker, SIGKILL);
    sight().id.born_ns += 1;
    put();
    EXPECT_THAT(tick_after(10s).ghosts, IsEmpty());
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
}

TEST_F(LockKindTest, the_same_inode_born_again_is_not_what_was_made) {
    sight_ = {.id = {.device = 8, .inode = inode, .born_ns = 6}, .path = std::string{path}, .changed_ns = 6};
    put();
    tell_created(EGB_LOCK_BY_OPEN, "/srv/app", "app.lock", 5);
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
}

TEST_F(LockKindTest, a_link_must_not_have_changed_since) {
    sight_ = {.id = {.device = 8, .inode = inode, .born_ns = 1},
              .path = std::string{path},
              .changed_ns = 5,
              .links = 1,
              .is_local = true};
    put();
    changed_later_ns_ = 1;
    tell_created(EGB_LOCK_BY_LINK, "/srv/app", "app.lock", 5);
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
    changed_later_ns_ = 0;
    tell_created(EGB_LOCK_BY_LINK, "/srv/app", "app.lock", 5);
    EXPECT_EQ(kind_->tracker().tracked(), 1U);
}

TEST_F(LockKindTest, a_link_to_anothers_file_is_left_alone) {
    make(EGB_LOCK_BY_LINK);
    sight().uid = 0;
    put();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, anothers);
    EXPECT_EQ(ghost.reach, Reach::reports);
}

TEST_F(LockKindTest, what_speaks_against_it) {
    struct Case {
        const EvidenceRule* rule;
        void (*change)(host::FileSight&);
        Reach reach;
    };
    const std::array cases{
        Case{&other_names,
             [](host::FileSight& sight) {
                 sight.links = 2;
             },
             Reach::reports},
        Case{&mount_point,
             [](host::FileSight& sight) {
                 sight.is_mount_point = true;
             },
             Reach::reports},
        Case{&too_large,
             [](host::FileSight& sight) {
                 sight.size = 65'537;
             },
             Reach::reports},
        Case{&changed_later,
             [](host::FileSight& sight) {
                 sight.changed_ns += 1'000'000;
             },
             Reach::cleans},
        Case{&names_a_living_one,
             [](host::FileSight& sight) {
                 sight.content = "90\n";
             },
             Reach::cleans},
        Case{&data,
             [](host::FileSight& sight) {
                 sight.size = 5, sight.content = "data\n";
             },
             Reach::cleans},
    };
    make();
    die(maker, SIGKILL);
    const auto sound = sight();
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
    for (const Case& one : cases) {
        sight() = sound;
        one.change(sight());
        put();
        touch();
        const Ghost ghost = ghost_after(1ms);
        expect_doubt(ghost, *one.rule);
        EXPECT_EQ(ghost.reach, one.reach) << one.rule->name;
        EXPECT_FALSE(kind_->cleaner()->confirm([&] {
            Ghost proven = ghost;
            proven.grade = Grade::proven;
            return proven;
        }()));
    }
}

TEST_F(LockKindTest, a_directory_with_something_in_it_is_left_alone) {
    make(EGB_LOCK_BY_MKDIR);
    sight().is_empty = false;
    put();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, not_empty);
    EXPECT_EQ(ghost.reach, Reach::reports);
}

TEST_F(LockKindTest, whoever_has_it_open_may_own_it) {
    make();
    die(maker, SIGKILL);
    around_.holders.answer(test::held_by({.pid = 200}));
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, held);
    EXPECT_EQ(ghost.reach, Reach::reports);
}

TEST_F(LockKindTest, whoever_closes_it_is_noticed_though_nobody_tells) {
    make();
    die(maker, SIGKILL);
    around_.holders.answer(test::held_by({.pid = 200}));
    expect_doubt(ghost_after(10s), held);
    ASSERT_EQ(kind_->tracker().deadline(), around_.clock.now() + 10s);
    around_.holders.answer(std::vector<Holder>{});
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
    EXPECT_FALSE(kind_->tracker().deadline());
}

/// Whoever is killed is told of before his files are closed.
TEST_F(LockKindTest, what_was_doubtful_at_the_death_is_looked_at_again_before_it_is_told) {
    make();
    around_.holders.answer(test::held_by({.pid = maker}));
    die(maker, SIGKILL);
    around_.holders.answer(std::vector<Holder>{});
    around_.clock.advance(10s);
    EXPECT_THAT(kind_->tracker().tick(around_.clock.now()).ghosts, IsEmpty()) << "the sweep has to wait";
    EXPECT_LE(kind_->tracker().deadline(), around_.clock.now());
    EXPECT_EQ(ghost_after(1ms).grade, Grade::proven);
}

TEST_F(LockKindTest, what_is_doubtful_at_the_death_is_not_told_at_once_however_soon_it_may_be) {
    configure({{"LockAfter", "0"}});
    make();
    around_.holders.answer(test::held_by({.pid = maker}));
    die(maker, SIGKILL);
    EXPECT_THAT(kind_->tracker().tick(around_.clock.now()).ghosts, IsEmpty());
    around_.holders.answer(std::vector<Holder>{});
    EXPECT_EQ(ghost_after(1s).grade, Grade::proven);
}

TEST_F(LockKindTest, one_that_has_not_been_without_an_owner_for_that_long_is_taken_back) {
    make();
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
    configure({{"LockAfter", "1h"}});
    const Changes changes = kind_->tracker().tick(around_.clock.now());
    EXPECT_THAT(changes.ghosts, IsEmpty());
    EXPECT_THAT(changes.vanished, SizeIs(1));
    EXPECT_EQ(ghost_after(1h).grade, Grade::proven);
}

TEST_F(LockKindTest, two_daemons_do_not_look_at_the_same_moment_for_ever) {
    around_.clock.advance(std::chrono::microseconds{4});
    start();
    make();
    die(maker, SIGKILL);
    around_.holders.answer(test::held_by({.pid = 200})); // the other one, which looks now
    expect_doubt(ghost_after(10s), held);
    EXPECT_EQ(kind_->tracker().deadline(), around_.clock.now() + 12500ms);
}

TEST_F(LockKindTest, a_file_that_is_locked_by_flock_is_never_touched) {
    make();
    watched_.flags |= EGB_LOCK_IS_ADVISORY;
    touch();
    watched_.flags = 0; // whatever the kernel side says later
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, advisory);
    EXPECT_EQ(ghost.reach, Reach::reports);
}

TEST_F(LockKindTest, its_own_pid_in_it_speaks_for_it) {
    make();
    sight().content = "host-100";
    sight().size = 8;
    put();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    EXPECT_TRUE(has(ghost, names_its_creator));
}

TEST_F(LockKindTest, what_git_writes_into_its_lock_is_no_data) {
    constexpr std::string_view index = "/srv/app/.git/index.lock";
    make();
    sight().path = index;
    sight().size = 500;
    sight().content = "DIRC 2";
    around_.files.put({.mount_namespace = space, .path = std::string{index}}, sight_);
    tell_created(EGB_LOCK_BY_OPEN, "/srv/app/.git", "index.lock", static_cast<std::uint64_t>(wall_ns()));
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(LockKindTest, a_subshell_holds_it_for_its_script) {
    flags_ = EGB_LOCK_BY_FORK;
    make();
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), parent_lives);
    EXPECT_EQ(kind_->owners_of(sight().id)->verdict, OwnerVerdict::unknown);
    die(shell, SIGKILL);
    EXPECT_EQ(ghost_after(20s).grade, Grade::proven);
}

TEST_F(LockKindTest, a_worker_holds_it_for_who_is_pid_1_of_its_container) {
    add_init_of_container();
    flags_ = EGB_LOCK_BY_FORK;
    make();
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), parent_lives);
}

TEST_F(LockKindTest, a_script_may_be_pid_1_of_a_container) {
    add_init_of_container();
    make(EGB_LOCK_BY_MKDIR);
    die(maker, 0);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    EXPECT_EQ(kind_->owners_of(sight().id)->verdict, OwnerVerdict::owned);
    die(shell, SIGKILL);
    expect_doubt(ghost_after(10s), exited);
}

TEST_F(LockKindTest, a_pipe_that_breaks_is_no_crash) {
    make();
    die(maker, SIGPIPE);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty()) << "the script goes on";
    die(shell, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, exited);
    EXPECT_FALSE(has(ghost, killed));
}

TEST_F(LockKindTest, the_script_owns_it_for_as_long_as_it_runs_whatever_is_known_of_its_command) {
    make(EGB_LOCK_BY_MKDIR);
    die(maker, 0);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    around_.lineage.know_nothing_of(identity(maker));
    touch();
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    start();
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    around_.lineage.set_heirs(identity(maker), fail(ErrorCode::lost, "who descends from whom is not known"));
    EXPECT_TRUE(kind_->sweep(SweepReason::loss));
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    die(shell, 0);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, unknown_owners);
    EXPECT_FALSE(kind_->owners_of(sight().id)->verdict == OwnerVerdict::ownerless);
    EXPECT_EQ(clean(ghost).verdict, Verdict::refused);
}

TEST_F(LockKindTest, an_heir_that_exits_has_left_it) {
    make();
    die(maker, SIGKILL, {identity(child)});
    around_.lineage.set_heirs(identity(maker), std::vector<ProcessIdentity>{});
    around_.lineage.die(identity(child), {.at = around_.clock.now(), .wait_status = 0});
    expect_doubt(ghost_after(10s), left_by_heir);
}

TEST_F(LockKindTest, so_has_one_that_a_broken_pipe_has_ended) {
    make();
    die(maker, SIGKILL, {identity(child)});
    around_.lineage.set_heirs(identity(maker), std::vector<ProcessIdentity>{});
    around_.lineage.die(identity(child), {.at = around_.clock.now(), .wait_status = SIGPIPE});
    expect_doubt(ghost_after(10s), left_by_heir);
}

/// Also one who was gone again before anybody looked who the heirs are.
TEST_F(LockKindTest, so_has_one_of_whom_only_the_lineage_has_heard) {
    make();
    around_.lineage.set_heirs(identity(maker), std::vector<ProcessIdentity>{});
    around_.proc.remove(maker);
    around_.lineage.die(identity(maker),
                        {.at = around_.clock.now(), .wait_status = SIGKILL, .was_left = true});
    expect_doubt(ghost_after(10s), left_by_heir);
}

/// A daemon that starts again has heard nothing of the heirs' ends in between.
class LockOfHeirsTest : public LockKindTest {
protected:
    LockOfHeirsTest() {
        make();
        die(maker, SIGKILL, {identity(child)});
        EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
        start();
        EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
        around_.lineage.leave_alone();
        end(child, maker);
    }
};

TEST_F(LockOfHeirsTest, is_ownerless_since_they_were_found_to_be_dead) {
    start();
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    EXPECT_EQ(ghost.since, around_.clock.now() - 10s);
}

TEST_F(LockOfHeirsTest, may_have_been_left_by_one_where_nothing_is_known_of_its_maker_any_more) {
    around_.lineage.know_nothing_of(identity(maker));
    start();
    expect_doubt(ghost_after(10s), left_by_heir);
}

TEST_F(LockKindTest, another_users_file_that_was_born_at_the_same_tick_is_none_of_its) {
    sight_ = {.id = {.device = 8, .inode = inode, .born_ns = 5},
              .path = std::string{path},
              .changed_ns = 5,
              .uid = 0,
              .links = 1,
              .is_local = true};
    put();
    tell_created(EGB_LOCK_BY_OPEN, "/srv/app", "app.lock", 5);
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
    sight_.uid = 1000;
    sight_.id.device = 9;
    put();
    tell_created(EGB_LOCK_BY_OPEN, "/srv/app", "app.lock", 5);
    EXPECT_EQ(kind_->tracker().tracked(), 0U) << "nor is one on another device";
    sight_.id.device = 8;
    put();
    tell_created(EGB_LOCK_BY_OPEN, "/srv/app", "app.lock", 5);
    EXPECT_EQ(kind_->tracker().tracked(), 1U);
}

TEST_F(LockKindTest, its_pid_may_be_anothers_by_now) {
    make();
    sight().content = "100";
    sight().size = 3;
    put();
    die(maker, SIGKILL);
    around_.proc.add({.pid = maker, .start_ticks = start_ticks + 1, .inner_pids = "\t100"});
    expect_doubt(ghost_after(10s), names_a_living_one);
}

/// It is told as dead before /proc says so, and until somebody has waited for it, it has its pid.
TEST_F(LockKindTest, its_pid_is_its_own_while_it_ends) {
    make();
    sight().content = formatted("{}", maker);
    sight().size = sight().content.size();
    put();
    die(maker, SIGKILL);
    around_.proc.add({.pid = maker, .start_ticks = start_ticks, .inner_pids = formatted("\t{}", maker)});
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(LockKindTest, what_was_changed_once_stays_so_whatever_the_clock_says) {
    make();
    die(maker, SIGKILL);
    const auto sound = sight();
    sight().changed_ns += 1'000'000;
    put();
    touch();
    sight() = sound;
    put();
    expect_doubt(ghost_after(10s), changed_later);
}

/// The clock of files is behind by up to a tick, so that their time seems to be before the death.
TEST_F(LockKindTest, what_was_changed_within_the_tick_of_the_death_is_told_by_the_kernel_sides_clock) {
    make();
    die_and_be_changed_in_that_tick();
    around_.clock.advance(1us);
    watched_.touched_ns = now_ns();
    start();
    expect_doubt(ghost_after(10s), changed_later);
}

TEST_F(LockKindTest, what_was_changed_within_the_tick_of_the_death_is_doubtful_where_not_all_is_seen) {
    make();
    watched_.touched_ns = 0;
    die_and_be_changed_in_that_tick();
    start();
    expect_doubt(ghost_after(10s), changed_later);
}

TEST_F(LockKindTest, what_was_changed_after_the_death_and_not_heard_of_yet_is_noticed_at_the_last_look) {
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    ASSERT_TRUE(kind_->cleaner()->confirm(ghost));
    watched_.touched_ns = now_ns();
    EXPECT_FALSE(kind_->cleaner()->confirm(ghost));
}

/// CLOCK_MONOTONIC stands still meanwhile, and wall time seems to say that it died afterwards.
TEST_F(LockKindTest, whoever_takes_it_over_before_the_machine_sleeps_is_noticed) {
    make();
    die(maker, SIGKILL);
    change_and_sleep();
    expect_doubt(ghost_after(10s), changed_later);
}

TEST_F(LockKindTest, whoever_takes_it_over_before_the_machine_sleeps_is_noticed_at_the_last_look) {
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    ASSERT_TRUE(kind_->cleaner()->confirm(ghost));
    change_and_sleep();
    EXPECT_FALSE(kind_->cleaner()->confirm(ghost));
    EXPECT_FALSE(kind_->cleaner()->confirm(ghost)) << "and does not become what was judged by being asked";
}

TEST_F(LockKindTest, how_it_was_found_is_remembered_over_a_restart) {
    make();
    die(maker, SIGKILL);
    change_and_sleep();
    start();
    expect_doubt(ghost_after(10s), changed_later);
}

TEST_F(LockKindTest, what_was_changed_before_the_first_look_is_told_by_the_clocks) {
    make();
    around_.lineage.leave_alone(); // the daemon is down
    die(maker, SIGKILL);
    around_.clock.advance(1s);
    sight().changed_ns = wall_ns();
    put();
    start();
    expect_doubt(ghost_after(10s), changed_later);
}

TEST_F(LockKindTest, what_a_living_owner_changes_while_the_machine_sleeps_is_his_to_change) {
    make();
    change_and_sleep();
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(LockKindTest, a_program_that_copies_files_takes_no_locks) {
    add_process(maker, shell, "tar");
    make();
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), for_others);
}

TEST_F(LockKindTest, a_rename_alone_makes_no_lock) {
    make(EGB_LOCK_BY_RENAME);
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), renamed);
}

TEST_F(LockKindTest, a_claim_that_was_given_up_is_not_a_new_lock) {
    make();
    around_.proc.add({.pid = 1, .start_ticks = 1, .comm = "eghostbusterd"});
    die(maker, SIGKILL);
    creator_ = 1; // FakeHolderScan's
    tell_created(EGB_LOCK_BY_RENAME, "/srv/app", "app.lock", static_cast<std::uint64_t>(wall_ns()));
    touch();
    EXPECT_EQ(ghost_after(10s).holders.at(0).process->comm, "app");
}

TEST_F(LockKindTest, what_we_put_back_from_quarantine_is_not_ours_to_lose) {
    creator_ = 1; // FakeHolderScan's
    make(EGB_LOCK_BY_LINK);
    die(1, SIGKILL);
    EXPECT_THAT(tick_after(1h).ghosts, IsEmpty());
    EXPECT_THAT(*around_.memory.recall("lockfile"), IsEmpty());
}

TEST_F(LockKindTest, a_pid_of_a_container_is_none_of_ours) {
    inner_pid_ = 7;
    make();
    sight().content = "90";
    put();
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), names_one_elsewhere);
    sight().content = "7";
    put();
    touch();
    EXPECT_TRUE(has(ghost_after(1ms), names_its_creator));
}

TEST_F(LockKindTest, a_number_in_a_file_is_not_the_pid_of_a_container) {
    inner_pid_ = 1;
    make();
    sight().size = 4000;
    sight().content = "# tool lockfile v1\nfoo = 2\n";
    put();
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), data);
}

TEST_F(LockKindTest, protected_files_are_only_explained) {
    configure({{"Except", "/srv/*"}});
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, protected_file);
    EXPECT_EQ(ghost.reach, Reach::reports);
}

TEST_F(LockKindTest, what_the_machine_has_by_a_protected_path_is_protected_by_any) {
    configure({{"Except", "/srv/db/*"}});
    around_.files.bind_to("/mnt/elsewhere/app.lock");
    make();
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
    around_.files.bind_to("/srv/db/app.lock");
    touch();
    expect_doubt(ghost_after(1ms), protected_file);
}

TEST_F(LockKindTest, what_the_machine_has_by_another_path_may_be_out_of_bounds) {
    configure({{"Only", "/srv/app/*"}});
    around_.files.bind_to("/var/lib/containers/srv/app/app.lock");
    make();
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).reach, Reach::reports);
    around_.files.bind_to("/srv/app/app.lock");
    touch();
    EXPECT_EQ(ghost_after(1ms).reach, Reach::cleans) << "whatever the list says of where containers are";
}

TEST_F(LockKindTest, what_other_machines_may_see_is_only_explained) {
    make();
    die(maker, SIGKILL);
    const Ghost before = ghost_after(10s);
    EXPECT_EQ(before.grade, Grade::proven);
    around_.files.export_to_others("/srv");
    EXPECT_EQ(kind_->cleaner()->confirm(before).error().code, ErrorCode::changed);
    touch();
    const Ghost ghost = ghost_after(1ms);
    expect_doubt(ghost, exported);
    EXPECT_EQ(ghost.reach, Reach::reports);
    EXPECT_EQ(kind_->owners_of(sight().id)->verdict, OwnerVerdict::unknown);
    around_.files.export_to_others("");
    start();
    expect_doubt(ghost_after(10s), exported);
}

TEST_F(LockKindTest, while_it_is_not_known_what_other_machines_may_see_nothing_is_proven) {
    make();
    around_.files.export_to_others(fail(ErrorCode::io, "the table cannot be read"));
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), unreachable);
    around_.files.export_to_others("");
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven) << "it is looked at again";
}

TEST_F(LockKindTest, what_is_out_of_bounds_is_reported_as_what_it_is) {
    configure({{"Only", "/opt/*"}});
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    EXPECT_EQ(ghost.reach, Reach::reports);
    EXPECT_TRUE(has(ghost, out_of_bounds));
    EXPECT_FALSE(kind_->cleaner()->confirm(ghost));
    EXPECT_EQ(kind_->owners_of(sight().id)->verdict, OwnerVerdict::ownerless);
    configure({{"Only", "/srv/*"}});
    touch();
    EXPECT_EQ(ghost_after(1ms).reach, Reach::cleans);
}

/// Nobody lives in the namespace any more that it was made in, and another has its number.
TEST_F(LockKindTest, the_number_of_its_mount_namespace_is_anothers_by_now) {
    make();
    auto theirs = sight();
    theirs.id.inode = inode + 1;
    around_.files.put(name(), theirs);
    around_.files.put({.mount_namespace = 0, .path = std::string{path}}, sight());
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    static_cast<void>(clean(ghost));
    EXPECT_EQ(around_.sys.files().at(0).name.mount_namespace, 0U);
}

/// It is told of from within the call that makes it, and whoever makes it may have to wait for a CPU.
class UnnamedLockTest : public LockKindTest {
protected:
    UnnamedLockTest() {
        make();
        touch_as(EGB_LOCK_IS_TOUCHED); // the one that has its name goes
    }

    void touch_as(std::uint32_t flags) {
        watched_.flags = flags;
        around_.files.remove(name());
        touch();
    }

    void make_unnamed() {
        tell_created(EGB_LOCK_BY_OPEN, "/srv/app", "app.lock", static_cast<std::uint64_t>(wall_ns()));
        sight_.id.born_ns = wall_ns();
        EXPECT_EQ(kind_->tracker().tracked(), 0U);
        EXPECT_NE(watched_.made_ns, 0U) << "it is watched";
    }
};

TEST_F(UnnamedLockTest, is_looked_for_again) {
    make_unnamed();
    EXPECT_LE(*kind_->tracker().deadline(), around_.clock.now() + 100ms);
    put();
    EXPECT_THAT(tick_after(100ms).ghosts, IsEmpty());
    EXPECT_EQ(kind_->tracker().tracked(), 1U);
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(UnnamedLockTest, what_is_done_to_it_says_that_it_has_its_name) {
    make_unnamed();
    put();
    watched_.flags = EGB_LOCK_IS_TOUCHED;
    touch();
    EXPECT_EQ(kind_->tracker().tracked(), 1U);
    EXPECT_EQ(kind_->tracker().deadline(), std::nullopt);
}

TEST_F(UnnamedLockTest, one_that_is_gone_is_not_waited_for) {
    make_unnamed();
    touch_as(EGB_LOCK_IS_TOUCHED);
    EXPECT_EQ(watched_.made_ns, 0U);
    EXPECT_EQ(kind_->tracker().deadline(), std::nullopt);
}

TEST_F(UnnamedLockTest, one_whose_making_has_failed_is_not_waited_for_for_ever) {
    make_unnamed();
    static_cast<void>(tick_after(10s));
    EXPECT_EQ(watched_.made_ns, 0U);
    EXPECT_EQ(kind_->tracker().deadline(), std::nullopt);
}

TEST_F(LockKindTest, data_files_are_not_looked_at) {
    sight_ = {.id = {.device = 8, .inode = inode, .born_ns = 5}, .path = "/srv/app/Cargo.lock", .links = 1};
    around_.files.put({.mount_namespace = space, .path = "/srv/app/Cargo.lock"}, sight_);
    tell_created(EGB_LOCK_BY_OPEN, "/srv/app", "Cargo.lock", 5);
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
}

TEST_F(LockKindTest, what_becomes_a_data_file_by_a_reload_is_no_lock_any_more) {
    make();
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    options_.add_words("data-files", {"app.lock"});
    configure({});
    EXPECT_FALSE(kind_->cleaner()->confirm(ghost));
    touch();
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
    EXPECT_THAT(*around_.memory.recall("lockfile"), IsEmpty());
}

TEST_F(LockKindTest, what_a_list_has_counts_from_the_reload_on) {
    make();
    sight().size = 5;
    sight().content = "index";
    put();
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), data);
    options_.add_words("known-locks", {"*/app/*.lock"});
    configure({});
    touch();
    EXPECT_EQ(ghost_after(1ms).grade, Grade::proven);
    options_.add_words("protected-files", {"*/app/*.lock"});
    configure({});
    touch();
    expect_doubt(ghost_after(1ms), protected_file);
}

TEST_F(LockKindTest, a_restart_without_a_gap_changes_nothing) {
    make();
    start();
    EXPECT_EQ(kind_->tracker().tracked(), 1U);
    die(maker, SIGKILL);
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    EXPECT_EQ(ghost.holders.at(0).process->comm, "app") << "who is dead is remembered";
}

TEST_F(LockKindTest, after_a_gap_another_may_have_taken_it) {
    make();
    watch_nothing();
    start();
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), not_watched);
}

TEST_F(LockKindTest, what_is_lost_from_the_kernels_map_is_not_proven) {
    make();
    watch_nothing();
    die(maker, SIGKILL);
    expect_doubt(ghost_after(10s), not_watched);
}

TEST_F(LockKindTest, a_sweep_of_many_is_done_when_the_last_of_them_was_looked_at) {
    make();
    remember_more(40);
    start();
    EXPECT_TRUE(kind_->sweep(SweepReason::timer));
    EXPECT_FALSE(kind_->is_sweeping());
    EXPECT_TRUE(kind_->sweep(SweepReason::loss));
    EXPECT_TRUE(kind_->is_sweeping());
    EXPECT_EQ(kind_->tracker().deadline(), around_.clock.now());
    EXPECT_TRUE(kind_->sweep(SweepReason::timer));
    EXPECT_FALSE(kind_->is_sweeping());
}

class LockAfterRebootTest : public LockKindTest {
protected:
    /// The machine went down, and is up again; what was there is there.
    void reboot() {
        const auto memories = *around_.memory.recall("lockfile");
        for (const Memory& memory : memories) {
            around_.memory.reboot("00000000-0000-0000-0000-000000000000");
            around_.memory.remember("lockfile", memory.key, memory.text);
        }
        around_.memory.reboot(around_.procfs.boot_id());
        around_.files.remove(name());
        around_.files.put({.mount_namespace = 0, .path = std::string{path}}, sight_);
        around_.lineage.forget();
        watch_nothing();
        start();
    }
};

TEST_F(LockAfterRebootTest, nobody_outlives_a_power_loss) {
    make();
    reboot();
    const Ghost ghost = ghost_after(10s);
    EXPECT_EQ(ghost.grade, Grade::proven);
    EXPECT_TRUE(has(ghost, rebooted));
    EXPECT_EQ(ghost.summary, "/srv/app/app.lock left by app (pid 100), of an earlier boot");
    EXPECT_TRUE(kind_->cleaner()->confirm(ghost));
}

TEST_F(LockAfterRebootTest, what_was_done_to_it_after_the_daemon_had_stopped_nobody_knows) {
    make();
    kind_->let_go();
    reboot();
    const Ghost ghost = ghost_after(10s);
    expect_doubt(ghost, not_watched);
    EXPECT_TRUE(has(ghost, rebooted));
    start();
    expect_doubt(ghost_after(10s), not_watched);
}

TEST_F(LockAfterRebootTest, nor_does_a_daemon_without_this_kind) {
    make();
    reboot();
    make_kind(); // and nobody starts it
    kind_->let_go();
    reboot();
    expect_doubt(ghost_after(10s), not_watched);
}

TEST_F(LockAfterRebootTest, a_lock_of_before_is_watched_in_this_boot_like_any_other) {
    make();
    reboot();
    watch_nothing();
    start();
    expect_doubt(ghost_after(10s), not_watched);
}

TEST_F(LockKindTest, a_restart_in_order_lets_nothing_go_that_the_kernel_side_keeps) {
    make();
    kind_->let_go();
    start();
    die(maker, SIGKILL);
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(LockAfterRebootTest, what_was_kept_over_a_restart_is_not_let_go_any_more) {
    make();
    kind_->let_go();
    start();
    reboot();
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(LockAfterRebootTest, nobody_owns_a_lock_of_before_and_when_it_was_made_is_known_by_its_birth) {
    make();
    const auto made = around_.clock.wall_now();
    reboot();
    const auto report = kind_->owners_of(sight().id);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, OwnerVerdict::ownerless);
    EXPECT_EQ(report->since, made);
    EXPECT_EQ(report->claimants.at(0).end, "of an earlier boot");
}

TEST_F(LockAfterRebootTest, one_that_was_changed_meanwhile_is_not_as_it_was) {
    make();
    sight().changed_ns += 1;
    reboot();
    expect_doubt(ghost_after(10s), changed_later);
}

TEST_F(LockAfterRebootTest, what_its_owner_wrote_into_it_is_remembered) {
    make();
    sight().changed_ns += 1;
    sight().content = "100";
    put();
    touch();
    reboot();
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(LockAfterRebootTest, what_was_left_on_purpose_stays) {
    make();
    die(maker, 0);
    reboot();
    expect_doubt(ghost_after(10s), exited);
}

TEST_F(LockAfterRebootTest, another_file_of_that_name_is_nobodys_concern) {
    make();
    sight().id.born_ns += 1;
    reboot();
    EXPECT_EQ(kind_->tracker().tracked(), 0U);
    EXPECT_THAT(*around_.memory.recall("lockfile"), IsEmpty());
}

TEST_F(LockKindTest, whose_it_is_while_its_maker_lives) {
    make();
    around_.lineage.set_heirs(identity(maker), std::vector{identity(maker), identity(child)});
    add_process(child, maker, "rsync");
    around_.clock.advance(3min);
    const auto report = kind_->owners_of(sight().id);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, OwnerVerdict::owned);
    EXPECT_EQ(report->summary, "a lock, created exclusively by open");
    EXPECT_EQ(report->since, around_.clock.wall_now() - 3min);
    ASSERT_THAT(report->claimants, SizeIs(2));
    EXPECT_EQ(report->claimants[0].process->comm, "app");
    EXPECT_TRUE(report->claimants[0].lives);
    EXPECT_EQ(report->claimants[1].process->comm, "rsync");
    EXPECT_EQ(report->claimants[1].role, ClaimantRole::heir);
    EXPECT_THAT(report->evidence, testing::ElementsAre(Evidence{&created_exclusively, 0}));
}

TEST_F(LockKindTest, an_heir_owns_it_after_its_maker_and_how_he_ended_is_told) {
    make();
    die(maker, SIGKILL, {identity(child)});
    const auto report = kind_->owners_of(sight().id);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, OwnerVerdict::owned);
    ASSERT_THAT(report->claimants, SizeIs(2));
    EXPECT_EQ(report->claimants[0].process->comm, "app");
    EXPECT_FALSE(report->claimants[0].lives);
    EXPECT_EQ(report->claimants[0].end, "killed by SIGKILL");
    EXPECT_TRUE(report->claimants[1].lives);
}

TEST_F(LockKindTest, the_script_owns_what_its_command_has_made) {
    make();
    die(maker, 0);
    const auto report = kind_->owners_of(sight().id);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, OwnerVerdict::owned);
    EXPECT_EQ(report->claimants.back().role, ClaimantRole::elder);
    EXPECT_EQ(report->claimants.back().process->comm, "sh");
    EXPECT_TRUE(report->claimants.back().lives);
    EXPECT_FALSE(std::ranges::contains(report->evidence, &exited, &Evidence::rule)) << "the script is left";
}

TEST_F(LockKindTest, a_worker_that_is_older_than_the_lock_is_named) {
    add_process(child, maker, "worker");
    around_.lineage.add_heir(identity(maker), identity(child), around_.clock.now());
    around_.clock.advance(1min);
    make();
    for (const bool maker_lives : {true, false}) {
        if (!maker_lives) {
            die(maker, SIGKILL);
        }
        const auto report = kind_->owners_of(sight().id);
        ASSERT_TRUE(report);
        EXPECT_EQ(report->verdict, OwnerVerdict::owned);
        ASSERT_THAT(report->claimants, SizeIs(2)) << maker_lives;
        EXPECT_EQ(report->claimants[1].process->comm, "worker");
        EXPECT_EQ(report->claimants[1].role, ClaimantRole::heir);
    }
}

TEST_F(LockKindTest, the_script_owns_what_a_part_of_it_has_made_that_a_broken_pipe_has_ended) {
    make();
    die(maker, SIGPIPE);
    const auto report = kind_->owners_of(sight().id);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, OwnerVerdict::owned);
    ASSERT_THAT(report->claimants, SizeIs(2));
    EXPECT_EQ(report->claimants[0].end, "killed by SIGPIPE");
    EXPECT_EQ(report->claimants[1].process->comm, "sh");
    EXPECT_EQ(report->claimants[1].role, ClaimantRole::elder);
    EXPECT_TRUE(report->claimants[1].lives);
}

TEST_F(LockKindTest, nobodys_lock_is_told_to_be_so_before_it_is_a_ghost) {
    make();
    die(maker, SIGKILL);
    const auto report = kind_->owners_of(sight().id);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, OwnerVerdict::ownerless);
    EXPECT_TRUE(std::ranges::contains(report->evidence, &killed, &Evidence::rule));
    EXPECT_FALSE(std::ranges::contains(report->evidence, &unheld, &Evidence::rule)) << "nobody has looked";
    EXPECT_EQ(report->key, ghost_after(10s).key);
}

TEST_F(LockKindTest, who_asks_changes_nothing) {
    make();
    die(maker, SIGKILL);
    around_.files.remove(name());
    EXPECT_FALSE(kind_->owners_of(sight().id)) << "it is no longer in its place";
    EXPECT_EQ(kind_->tracker().tracked(), 1U);
    put();
    EXPECT_EQ(ghost_after(10s).grade, Grade::proven);
}

TEST_F(LockKindTest, nobody_is_called_dead_on_a_doubt) {
    make();
    die(maker, SIGKILL);
    const auto sound = sight();
    const auto verdict = [this] {
        put();
        return kind_->owners_of(sight().id).value().verdict;
    };
    EXPECT_EQ(verdict(), OwnerVerdict::ownerless);
    sight().content = "90\n";
    EXPECT_EQ(verdict(), OwnerVerdict::unknown) << "it names one who lives";
    sight() = sound;
    sight().changed_ns += 1'000'000;
    EXPECT_EQ(verdict(), OwnerVerdict::unknown) << "somebody has changed it since";
    sight() = sound;
    watched_.flags |= EGB_LOCK_IS_ADVISORY;
    EXPECT_EQ(verdict(), OwnerVerdict::unknown) << "its being there says nothing";
    watch_nothing();
    EXPECT_EQ(verdict(), OwnerVerdict::unknown) << "nobody has watched it";
}

TEST_F(LockKindTest, of_another_file_it_knows_nothing) {
    make();
    for (auto change : {+[](FileIdentity& id) {
                            id.device += 1;
                        },
                        +[](FileIdentity& id) {
                            id.inode += 1;
                        },
                        +[](FileIdentity& id) {
                            id.born_ns += 1;
                        }}) {
        auto other = sight().id;
        change(other);
        EXPECT_FALSE(kind_->owners_of(other));
    }
}

TEST_F(LockKindTest, a_crowd_of_heirs_is_counted_and_not_named) {
    make();
    std::vector<ProcessIdentity> crowd;
    for (std::int32_t pid = 1000; pid < 2000; ++pid) {
        crowd.push_back(identity(pid));
    }
    die(maker, SIGKILL, crowd);
    const auto report = kind_->owners_of(sight().id);
    ASSERT_TRUE(report);
    EXPECT_THAT(report->claimants, SizeIs(100));
    EXPECT_EQ(report->unnamed, 901U);
}

TEST_F(LockKindTest, the_pattern_list_reaches_the_kernel_side) {
    configure({{"Patterns", "*.mine"}});
    const auto contents = events_->replaced("egb_lock_patterns");
    ASSERT_EQ(contents.keys.size() % sizeof(egb_lock_pattern), 0U);
    egb_lock_pattern first{};
    std::memcpy(&first, contents.keys.data(), sizeof(first));
    EXPECT_EQ((std::string_view{first.tail, first.bits / 8}), "enim.");
}

TEST_F(LockKindTest, losses_of_both_sources_count) {
    const auto before = kind_->lost();
    events_->lose(2);
    around_.lineage.lose(3);
    EXPECT_EQ(kind_->lost(), before + 5);
}

} // namespace
} // namespace egb::lockfile
