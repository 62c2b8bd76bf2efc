// SPDX-License-Identifier: Apache-2.0
#include "state/state_db.hpp"

#include "core/format.hpp"
#include "core/kind_info.hpp"
#include "harness/fake_clock.hpp"
#include "harness/temp_folder.hpp"
#include "state/sqlite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sqlite3.h>

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <set>

namespace egb::state {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr KindInfo tcp{
    .name = "tcp", .summary = "", .reach = Reach::reports, .options = {}, .evidence = {}, .capabilities = {}};
constexpr KindInfo ipc{
    .name = "ipc", .summary = "", .reach = Reach::reports, .options = {}, .evidence = {}, .capabilities = {}};

GhostPtr ghost(GhostId id, const KindInfo& kind = tcp) {
    Ghost ghost;
    ghost.id = id;
    ghost.kind = &kind;
    ghost.summary = formatted("ghost {}", id);
    return std::make_shared<const Ghost>(std::move(ghost));
}

Incident incident(IncidentType type, GhostPtr ghost, WallTime at) {
    Incident incident;
    incident.type = type;
    incident.at = at;
    incident.ghost = std::move(ghost);
    return incident;
}

class StateDbTest : public testing::Test {
protected:
    [[nodiscard]] std::unique_ptr<StateDb> open() {
        return std::make_unique<StateDb>(folder_.path(), clock_, boot_, [this](std::string_view text) {
            told_.emplace_back(text);
        });
    }

    [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "state.db"; }

    void append(StateDb& db, GhostId id, IncidentType type = IncidentType::appeared) {
        db.append(incident(type, ghost(id), clock_.wall_now()), "{}");
    }

    /// The ghosts of the history, the newest first.
    static std::vector<GhostId> ghosts_of(const StateDb& db, const HistoryFilter& filter = {},
                                          std::uint32_t limit = 100) {
        return db.history(filter, limit).value() | std::views::transform(&HistoryRow::ghost) |
               std::ranges::to<std::vector>();
    }

    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator{folder_.path()}) {
            names.push_back(entry.path().filename().string());
        }
        std::ranges::sort(names);
        return names;
    }

    /// By another connection, so that the page is not in the cache of ours.
    void damage_the_file() const {
        const auto vandal = Database::open(file());
        ASSERT_TRUE(vandal->execute("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA writable_schema = ON;"
                                    "UPDATE sqlite_schema SET rootpage = 999 WHERE name = 'history';"
                                    "PRAGMA schema_version = 1000"));
    }

    test::TempFolder folder_;
    test::FakeClock clock_;
    std::string boot_{"this boot"};
    std::vector<std::string> told_;
};

TEST_F(StateDbTest, GivesIdsFromOneOnAndSkipsNoneOverAnOrderlyRestart) {
    EXPECT_EQ(open()->next(), 1U);
    auto db = open();
    EXPECT_EQ(db->next(), 2U);
    EXPECT_EQ(db->next(), 3U);
    EXPECT_THAT(told_, IsEmpty());
}

TEST_F(StateDbTest, GivesMoreIdsThanItReservesAtOnce) {
    auto db = open();
    for (GhostId id = 1; id <= 2500; ++id) {
        ASSERT_EQ(db->next(), id);
    }
}

TEST_F(StateDbTest, TwoProcessesOnOneFileNeverGiveTheSameId) {
    auto one = open();
    auto other = open();
    std::set<GhostId> ids;
    for (int round = 0; round < 2500; ++round) {
        ASSERT_TRUE(ids.insert(one->next()).second);
        ASSERT_TRUE(ids.insert(other->next()).second);
    }
}

TEST_F(StateDbTest, KeepsWholeIncidents) {
    auto db = open();
    Incident act = incident(IncidentType::acted, ghost(7), clock_.wall_now());
    act.outcome = {.verdict = Verdict::refused, .reason = "it has a new owner"};
    act.actor = "uid 1000";
    db->append(act, R"({"id":7})");
    db->flush();

    const HistoryRow expected{.sequence = 1,
                              .at = clock_.wall_now(),
                              .type = "acted",
                              .ghost = 7,
                              .kind = "tcp",
                              .grade = "suspected",
                              .summary = "ghost 7",
                              .verdict = "refused",
                              .reason = "it has a new owner",
                              .actor = "uid 1000",
                              .json = ""};
    EXPECT_THAT(db->history({}, 10).value(), ElementsAre(expected));
    EXPECT_EQ(Database::open(file())->text("SELECT json FROM incident WHERE sequence = 1"), R"({"id":7})");
    db.reset();
    EXPECT_THAT(open()->history({}, 10).value(), ElementsAre(expected));
}

TEST_F(StateDbTest, OnlyActsHaveAVerdict) {
    auto db = open();
    append(*db, 1, IncidentType::vanished);
    db->flush();
    EXPECT_EQ(db->history({}, 1).value().front().verdict, "");
}

TEST_F(StateDbTest, FiltersTheHistory) {
    auto db = open();
    const WallTime begin = clock_.wall_now();
    append(*db, 1);
    clock_.advance(std::chrono::minutes{1});
    db->append(incident(IncidentType::appeared, ghost(2, ipc), clock_.wall_now()), "{}");
    clock_.advance(std::chrono::minutes{1});
    append(*db, 1, IncidentType::vanished);
    Incident act = incident(IncidentType::acted, ghost(3), clock_.wall_now());
    act.outcome.verdict = Verdict::cleaned;
    db->append(act, "{}");
    db->flush();

    EXPECT_THAT(ghosts_of(*db), ElementsAre(3, 1, 2, 1));
    EXPECT_THAT(ghosts_of(*db, {}, 2), ElementsAre(3, 1));
    EXPECT_THAT(ghosts_of(*db, {.kind = "ipc"}), ElementsAre(2));
    EXPECT_THAT(ghosts_of(*db, {.type = "vanished"}), ElementsAre(1));
    EXPECT_THAT(ghosts_of(*db, {.verdict = "cleaned"}), ElementsAre(3));
    EXPECT_THAT(ghosts_of(*db, {.ghost = 1}), ElementsAre(1, 1));
    EXPECT_THAT(ghosts_of(*db, {.since = begin + std::chrono::minutes{2}}), ElementsAre(3, 1));
    EXPECT_THAT(ghosts_of(*db, {.until = begin}), ElementsAre(1));
    EXPECT_THAT(ghosts_of(*db, {.kind = "tcp", .type = "appeared", .since = begin}), ElementsAre(1));
    EXPECT_THAT(ghosts_of(*db, {.kind = "' OR 1 --"}), IsEmpty());
}

TEST_F(StateDbTest, PrunesByCountAndByAge) {
    auto db = open();
    append(*db, 1);
    clock_.advance(std::chrono::hours{1});
    for (GhostId id = 2; id <= 5; ++id) {
        append(*db, id);
    }
    db->flush();
    db->set_limits(100, std::chrono::minutes{1});
    EXPECT_FALSE(db->prune());
    EXPECT_THAT(ghosts_of(*db), ElementsAre(5, 4, 3, 2));
    db->set_limits(2, forever);
    EXPECT_FALSE(db->prune());
    EXPECT_THAT(ghosts_of(*db), ElementsAre(5, 4));
    db->set_limits(0, forever);
    EXPECT_FALSE(db->prune());
    EXPECT_THAT(ghosts_of(*db), IsEmpty());
    db->set_limits(1, forever);
    append(*db, 6);
    db->flush();
    EXPECT_EQ(db->history({}, 1).value().front().sequence, 6) << "sequences are not used again";
    EXPECT_EQ(Database::open(file())->number("SELECT count(*) FROM incident"), 1)
        << "what is pruned goes in full";
}

TEST_F(StateDbTest, KeepsWithinItsLimitsAsItWrites) {
    auto db = open();
    db->set_limits(3, std::chrono::hours{1});
    for (GhostId id = 1; id <= 5; ++id) {
        append(*db, id);
        db->flush();
    }
    EXPECT_THAT(ghosts_of(*db), ElementsAre(5, 4, 3));
    clock_.advance(std::chrono::hours{2});
    append(*db, 6);
    db->flush();
    EXPECT_THAT(ghosts_of(*db), ElementsAre(6));
}

TEST_F(StateDbTest, DeletesALongHistoryPieceByPiece) {
    auto db = open();
    for (GhostId id = 1; id <= 12'000; ++id) {
        append(*db, id);
    }
    db->flush();
    db->set_limits(10, forever);
    EXPECT_TRUE(db->prune());
    EXPECT_THAT(ghosts_of(*db, {}, 20'000), SizeIs(7000));
    append(*db, 12'001);
    db->flush();
    EXPECT_THAT(ghosts_of(*db, {}, 20'000), SizeIs(2001));
    EXPECT_FALSE(db->prune());
    EXPECT_THAT(ghosts_of(*db, {}, 20'000), SizeIs(10));
}

TEST_F(StateDbTest, WritesLongBatchesPieceByPiece) {
    auto db = open();
    for (GhostId id = 1; id <= 3000; ++id) {
        append(*db, id);
    }
    EXPECT_THAT(ghosts_of(*db, {}, 5000), SizeIs(2048));
    db->flush();
    EXPECT_THAT(ghosts_of(*db, {}, 5000), SizeIs(3000));
    EXPECT_EQ(db->dropped(), 0U);
}

// Damage.

// Holds.

TEST_F(StateDbTest, AHoldOutlivesTheDaemonAndEndsInTime) {
    const engine::Hold hour{.kind = "tcp",
                            .key = "cookie 1",
                            .action = Action::ignore,
                            .until = clock_.now() + std::chrono::hours{1}};
    const engine::Hold always{.kind = "tcp", .key = "cookie 2"};
    {
        auto db = open();
        db->keep({.kind = "tcp", .key = "cookie 1", .until = end_of_time});
        db->keep(hour);
        db->keep(always);
    }
    EXPECT_THAT(open()->holds().value(), testing::UnorderedElementsAre(hour, always));
    clock_.advance(std::chrono::hours{1});
    EXPECT_THAT(open()->holds().value(), ElementsAre(always));
}

TEST_F(StateDbTest, AHoldIsEndedByOneThatIsOver) {
    auto db = open();
    db->keep({.kind = "tcp", .key = "cookie 1"});
    db->keep({.kind = "tcp", .key = "cookie 1", .until = clock_.now()});
    EXPECT_THAT(db->holds().value(), IsEmpty());
}

TEST_F(StateDbTest, AfterARebootTheSameKeyIsAnother) {
    const engine::Hold all{};
    {
        auto db = open();
        db->keep({.kind = "tcp", .key = "cookie 1"});
        db->keep(all);
    }
    boot_ = "the next boot";
    EXPECT_THAT(open()->holds().value(), ElementsAre(all)) << "what is paused stays so";
}

// Quarantine.

QuarantinedFile some_file() {
    return {.path = "/run/lock/\xFF.lock",
            .mount_namespace = 4026531841,
            .hidden_name = ".ghost-1",
            .id = {.device = 1, .inode = UINT64_MAX, .born_ns = -3},
            .directory = {.device = 1, .inode = 2, .born_ns = 3},
            .type = FileType::regular,
            .mode = 01640,
            .uid = UINT32_MAX,
            .gid = 5678,
            .accessed_ns = -1,
            .modified_ns = 2,
            .content = std::string{"4711\0\n", 6},
            .attributes = {{"user.note", std::string{"a\0b", 3}}, {"user.empty", ""}}};
}

TEST_F(StateDbTest, AFileIsKeptWithEverythingOverARestart) {
    ASSERT_TRUE(open()->keep(*ghost(17), some_file()));
    EXPECT_EQ(open()->find(17), (Ward{.ghost = 17, .custody = Custody::underway, .file = some_file()}));
    EXPECT_THAT(open()->underway().value(), SizeIs(1));
    ASSERT_TRUE(open()->settle(17));
    EXPECT_EQ(open()->find(17)->custody, Custody::kept);
    EXPECT_THAT(open()->underway().value(), IsEmpty());
    ASSERT_TRUE(open()->drop(17));
    EXPECT_EQ(open()->find(17).error().code, ErrorCode::not_found);
}

TEST_F(StateDbTest, AfterARebootAMountNamespaceIsTheMachinesOwn) {
    ASSERT_TRUE(open()->keep(*ghost(17), some_file()));
    boot_ = "the next boot";
    EXPECT_EQ(open()->find(17)->file.mount_namespace, 0U);
}

TEST_F(StateDbTest, ListsTheQuarantineInPages) {
    auto db = open();
    for (const GhostId id : {3U, 1U, 2U}) {
        ASSERT_TRUE(db->keep(*ghost(id, ipc), some_file()));
    }
    const auto page = db->quarantined(1, 1).value();
    EXPECT_EQ(page.total, 3U);
    EXPECT_THAT(page.rows, ElementsAre(QuarantineRow{.ghost = 2,
                                                     .kind = "ipc",
                                                     .since = clock_.wall_now(),
                                                     .path = "/run/lock/\xFF.lock",
                                                     .type = FileType::regular,
                                                     .size = 6}));
}

TEST_F(StateDbTest, NothingIsKeptBeyondTheRoomThereIs) {
    auto db = open();
    db->set_quarantine_limits(forever, 2000);
    auto file = some_file();
    file.content.assign(1000, 'x');
    ASSERT_TRUE(db->keep(*ghost(1), file));
    const auto refused = db->keep(*ghost(2), file);
    EXPECT_EQ(refused.error().code, ErrorCode::busy);
    EXPECT_THAT(refused.error().message, HasSubstr("QuarantineMax="));
    EXPECT_EQ(db->degraded(), "") << "that is no trouble of the disk";
    EXPECT_TRUE(db->keep(*ghost(1), file)) << "in place of itself there is room";
    ASSERT_TRUE(db->drop(1));
    EXPECT_TRUE(db->keep(*ghost(2), file));
    EXPECT_EQ(Database::open(this->file())->number("SELECT count(*) FROM quarantine_attribute"), 2);
}

TEST_F(StateDbTest, WhatIsNotRestoredIsForgottenInTime) {
    auto db = open();
    db->set_quarantine_limits(std::chrono::hours{1}, 100'000);
    ASSERT_TRUE(db->keep(*ghost(1), some_file()));
    ASSERT_TRUE(db->settle(1));
    clock_.advance(std::chrono::hours{1});
    ASSERT_TRUE(db->keep(*ghost(2), some_file()));
    ASSERT_TRUE(db->settle(2));
    static_cast<void>(db->prune());
    EXPECT_TRUE(db->find(1)) << "an hour is not more than an hour";
    clock_.advance(std::chrono::seconds{1});
    static_cast<void>(db->prune());
    EXPECT_EQ(db->find(1).error().code, ErrorCode::not_found);
    EXPECT_TRUE(db->find(2));
}

TEST_F(StateDbTest, WhatWasLeftHalfWayIsForgottenInTimeByWhoeverGivesItUp) {
    auto db = open();
    db->set_quarantine_limits(std::chrono::hours{1}, 100'000);
    ASSERT_TRUE(db->keep(*ghost(1), some_file()));
    clock_.advance(std::chrono::hours{1});
    ASSERT_TRUE(db->give_up(1));
    EXPECT_TRUE(db->find(1)) << "it is not old enough";
    clock_.advance(std::chrono::seconds{1});
    static_cast<void>(db->prune());
    EXPECT_TRUE(db->find(1)) << "nobody has looked for it";
    ASSERT_TRUE(db->give_up(1));
    const auto found = db->find(1);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::not_found);
}

TEST_F(StateDbTest, ADamagedFileKeepsNothing) {
    auto db = open();
    damage_the_file();
    EXPECT_FALSE(db->keep(*ghost(1), some_file()));
    EXPECT_THAT(told_, SizeIs(1));
}

// What kinds remember.

TEST_F(StateDbTest, WhatAKindRemembersOutlivesTheDaemonAndTheBoot) {
    {
        auto db = open();
        db->remember("lockfile", "a", "one");
        db->remember("lockfile", "b", "two");
        db->remember("ipc", "a", "another's");
        db->flush();
        db->remember("lockfile", "a", "three");
        db->forget("lockfile", "b");
    }
    boot_ = "the next boot";
    auto db = open();
    db->remember("lockfile", "c", "four");
    EXPECT_THAT(db->recall("lockfile").value(),
                ElementsAre(Memory{.key = "a", .boot = "this boot", .text = "three"},
                            Memory{.key = "c", .boot = "the next boot", .text = "four"}));
    EXPECT_THAT(db->recall("ipc").value(), SizeIs(1));
    EXPECT_THAT(db->recall("nothing").value(), IsEmpty());
}

TEST_F(StateDbTest, WhatIsRememberedIsWrittenIntoTheFileThatTakesThePlaceOfADamagedOne) {
    {
        auto db = open();
        db->remember("lockfile", "a", "one");
        db->flush();
        damage_the_file();
        append(*db, 1);
        db->flush();
        EXPECT_THAT(told_, SizeIs(1));
        db->flush();
    }
    EXPECT_THAT(open()->recall("lockfile").value(), SizeIs(1));
}

TEST_F(StateDbTest, SetsAGarbageFileAsideAndNamesIt) {
    std::ofstream{file()} << std::string(8192, 'x');
    auto db = open();
    EXPECT_EQ(db->degraded(), "") << "the new file is as good as any";
    ASSERT_THAT(told_, SizeIs(1));
    EXPECT_THAT(told_.front(),
                AllOf(HasSubstr("state.db.corrupt-20231114T231320"), HasSubstr("not a database")));
    EXPECT_THAT(files(), testing::Contains(testing::StartsWith("state.db.corrupt-20231114T231320")));
    append(*db, db->next());
    db->flush();
    EXPECT_THAT(ghosts_of(*db), SizeIs(1));
}

TEST_F(StateDbTest, AfterDamageIdsGoOnWhereNoneHasBeen) {
    const GhostId before = open()->next();
    std::ofstream{file()} << std::string(8192, 'x');
    const GhostId after = open()->next();
    EXPECT_GE(after, static_cast<GhostId>(clock_.wall_now().time_since_epoch().count()));
    EXPECT_GT(after, before);
    EXPECT_EQ(open()->next(), after + 1) << "and from there on as ever";
}

TEST_F(StateDbTest, AnEmptiedFileMayHaveGivenAnyId) {
    EXPECT_EQ(open()->next(), 1U);
    std::filesystem::resize_file(file(), 0);
    EXPECT_GT(open()->next(), 1'000'000'000U);
}

TEST_F(StateDbTest, SetsATruncatedFileAside) {
    {
        auto db = open();
        for (GhostId id = 1; id <= 500; ++id) {
            append(*db, id);
        }
    }
    std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);
    auto db = open();
    ASSERT_THAT(told_, SizeIs(1));
    EXPECT_THAT(told_.front(), HasSubstr("damaged"));
    EXPECT_THAT(ghosts_of(*db), IsEmpty());
}

TEST_F(StateDbTest, FindsDamageInTheMiddleOfTheFile) {
    {
        auto db = open();
        for (GhostId id = 1; id <= 500; ++id) {
            append(*db, id);
        }
    }
    std::fstream damaged{file(), std::ios::in | std::ios::out | std::ios::binary};
    damaged.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file()) / 4096 / 2 * 4096));
    damaged << std::string(4096, '\xff');
    damaged.close();
    auto db = open();
    ASSERT_THAT(told_, SizeIs(1));
    EXPECT_THAT(told_.front(), HasSubstr("damaged"));
    EXPECT_EQ(db->degraded(), "");
}

TEST_F(StateDbTest, WhatIsHeldIsWrittenIntoTheFileThatTakesThePlaceOfADamagedOne) {
    const engine::Hold before{.kind = "tcp", .key = "cookie 1"};
    open()->keep(before);
    {
        auto db = open();
        damage_the_file();
        append(*db, 1);
        db->flush();
        EXPECT_THAT(told_, SizeIs(1));
    }
    EXPECT_THAT(open()->holds().value(), ElementsAre(before));
}

TEST_F(StateDbTest, SurvivesDamageWhileItRuns) {
    auto db = open();
    append(*db, 1);
    db->flush();
    damage_the_file();
    append(*db, 2);
    db->flush();
    ASSERT_THAT(told_, SizeIs(1));
    EXPECT_THAT(told_.front(), HasSubstr("corrupt-"));
    db->flush();
    EXPECT_THAT(ghosts_of(*db), ElementsAre(2)) << "nothing that was being written is lost";
    EXPECT_EQ(db->degraded(), "");
}

// Other versions.

TEST_F(StateDbTest, DoesNotTouchAFileOfANewerSchema) {
    static_cast<void>(open()->next());
    ASSERT_TRUE(Database::open(file())->execute("PRAGMA user_version = 99"));
    {
        auto db = open();
        EXPECT_THAT(db->degraded(), AllOf(HasSubstr("schema 99"), HasSubstr("in memory only")));
        EXPECT_THAT(told_, ElementsAre(db->degraded()));
        EXPECT_GT(db->next(), 1'000'000'000U);
        append(*db, 1);
        db->flush();
        EXPECT_THAT(ghosts_of(*db), ElementsAre(1));
        db->retry();
        EXPECT_THAT(told_, SizeIs(1)) << "said once";
    }
    const auto left = Database::open(file());
    EXPECT_EQ(left->number("SELECT count(*) FROM history"), 0);
    EXPECT_EQ(left->number("PRAGMA user_version"), 99);
}

// The real thing: another process, and SIGKILL in the midst of its writing.

[[noreturn]] void write_until_killed(const std::filesystem::path& directory, int report) {
    const test::FakeClock clock;
    StateDb db{directory, clock, "boot", [](std::string_view) {
                   ::_exit(2);
               }};
    for (;;) {
        const GhostId id = db.next();
        if (::write(report, &id, sizeof id) != sizeof id) {
            ::_exit(1);
        }
        db.append(incident(IncidentType::appeared, ghost(id), clock.wall_now()), std::string(500, 'j'));
        if (id % 7 == 0) {
            db.flush();
        }
    }
}

/// Lets a child give at least `least` ids, kills it, and returns all that it gave.
std::vector<GhostId> ids_of_a_killed_child(const std::filesystem::path& directory, std::size_t least) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
        return {};
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        write_until_killed(directory, ends[1]);
    }
    ::close(ends[1]);
    std::vector<GhostId> ids;
    GhostId id{};
    while (::read(ends[0], &id, sizeof id) == sizeof id) {
        ids.push_back(id);
        if (ids.size() == least) {
            ::kill(child, SIGKILL);
        }
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
    return ids;
}

TEST_F(StateDbTest, KilledInTheMidstOfWritingItNeverGivesAnIdTwice) {
    std::set<GhostId> all;
    for (std::size_t round = 0; round < 20; ++round) {
        const auto ids = ids_of_a_killed_child(folder_.path(), 50 + (round * 137));
        ASSERT_GE(ids.size(), 50U);
        for (const GhostId id : ids) {
            ASSERT_TRUE(all.insert(id).second) << "id " << id << " came again in round " << round;
        }
    }
    auto db = open();
    EXPECT_THAT(told_, IsEmpty());
    EXPECT_FALSE(all.contains(db->next()));
    EXPECT_THAT(files(), Not(testing::Contains(HasSubstr("corrupt"))));
    const auto rows = db->history({}, 1'000'000).value();
    EXPECT_GE(rows.size(), 20U * 42U) << "what was flushed is there";
    EXPECT_THAT(rows, testing::Each(testing::Field(&HistoryRow::type, "appeared")));
}

// A disk that fails under SQLite, at the system calls: the errors are those of the kernel, SQLite's answers
// its own.

int disk_error = 0;

ssize_t failing_pwrite(int fd, const void* data, size_t size, off_t offset) {
    if (disk_error != 0) {
        errno = disk_error;
        return -1;
    }
    return ::pwrite(fd, data, size, offset);
}

ssize_t failing_write(int fd, const void* data, size_t size) {
    if (disk_error != 0) {
        errno = disk_error;
        return -1;
    }
    return ::write(fd, data, size);
}

class FailingDisk : public StateDbTest {
protected:
    FailingDisk() {
        sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
        for (const auto* name : {"pwrite", "pwrite64"}) {
            vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(&failing_pwrite));
        }
        vfs->xSetSystemCall(vfs, "write", reinterpret_cast<sqlite3_syscall_ptr>(&failing_write));
    }
    void TearDown() override {
        disk_error = 0;
        sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
        vfs->xSetSystemCall(vfs, nullptr, nullptr);
    }
};

TEST_F(FailingDisk, AFullDiskIsToldOnceAndNothingIsLostThatFitsInMemory) {
    auto db = open();
    append(*db, 1);
    db->flush();
    disk_error = ENOSPC;
    for (GhostId id = 2; id <= 10; ++id) {
        append(*db, id);
        db->flush();
        db->retry();
    }
    EXPECT_THAT(db->degraded(), AllOf(HasSubstr("full"), HasSubstr("waits in memory")));
    EXPECT_THAT(told_, ElementsAre(db->degraded()));
    EXPECT_THAT(ghosts_of(*db), ElementsAre(1)) << "what is on the disk can still be read";

    disk_error = 0;
    db->retry();
    EXPECT_EQ(db->degraded(), "");
    ASSERT_THAT(told_, SizeIs(2));
    EXPECT_THAT(told_.back(), HasSubstr("works again; 0 incidents"));
    EXPECT_THAT(ghosts_of(*db), SizeIs(10));
}

TEST_F(FailingDisk, AHoldWaitsForTheDisk) {
    const engine::Hold hold{.kind = "tcp", .key = "cookie 1"};
    {
        auto db = open();
        disk_error = ENOSPC;
        db->keep(hold);
        EXPECT_NE(db->degraded(), "");
        EXPECT_THAT(db->holds().value(), ElementsAre(hold));
        disk_error = 0;
        db->retry();
    }
    EXPECT_THAT(open()->holds().value(), ElementsAre(hold));
}

TEST_F(FailingDisk, NothingIsKeptThatIsNotOnTheDisk) {
    auto db = open();
    ASSERT_TRUE(db->keep(*ghost(1), some_file()));
    disk_error = ENOSPC;
    EXPECT_EQ(db->keep(*ghost(2), some_file()).error().code, ErrorCode::io);
    EXPECT_NE(db->degraded(), "");
    EXPECT_FALSE(db->settle(1));
    EXPECT_TRUE(db->find(1)) << "what is on the disk can still be read";
    disk_error = 0;
    EXPECT_FALSE(db->keep(*ghost(2), some_file())) << "not before it is known to work again";
    db->retry();
    EXPECT_TRUE(db->keep(*ghost(2), some_file()));
    EXPECT_THAT(db->underway().value(), SizeIs(2));
}

TEST_F(FailingDisk, NobodyKnowsWhatIsInQuarantineBeforeTheFileCanBeRead) {
    ASSERT_TRUE(open()->keep(*ghost(1), some_file()));
    disk_error = EIO;
    auto db = open();
    EXPECT_EQ(db->find(1).error().code, ErrorCode::io);
    EXPECT_FALSE(db->underway());
    EXPECT_FALSE(db->quarantined(0, 10));
    EXPECT_FALSE(db->keep(*ghost(2), some_file()));
    disk_error = 0;
    db->retry();
    EXPECT_TRUE(db->find(1));
}

TEST_F(FailingDisk, WhatIsRememberedWaitsForTheDisk) {
    {
        auto db = open();
        db->remember("lockfile", "a", "one");
        db->remember("lockfile", "b", "one");
    }
    disk_error = EIO;
    {
        auto db = open();
        EXPECT_FALSE(db->recall("lockfile"));
        db->remember("lockfile", "c", "two");
        db->forget("lockfile", "a");
        db->flush();
        disk_error = 0;
        db->retry();
        EXPECT_THAT(db->recall("lockfile").value(), SizeIs(2));
    }
    EXPECT_THAT(open()->recall("lockfile").value(), SizeIs(2));
}

TEST_F(FailingDisk, NobodyKnowsWhatIsHeldBeforeTheFileCanBeRead) {
    const engine::Hold hold{.kind = "tcp", .key = "cookie 1"};
    const engine::Hold released{.kind = "tcp", .key = "cookie 2"};
    const engine::Hold meanwhile{.kind = "tcp", .key = "cookie 3"};
    {
        auto db = open();
        db->keep(hold);
        db->keep(released);
    }
    disk_error = EIO;
    {
        auto in_memory = open();
        EXPECT_FALSE(in_memory->holds());
        in_memory->keep(meanwhile);
        in_memory->keep({.kind = "tcp", .key = "cookie 2", .until = clock_.now()});
        EXPECT_FALSE(in_memory->holds());
        disk_error = 0;
        in_memory->retry();
        EXPECT_THAT(in_memory->holds().value(), testing::UnorderedElementsAre(hold, meanwhile));
    }
    EXPECT_THAT(open()->holds().value(), testing::UnorderedElementsAre(hold, meanwhile));
}

TEST_F(FailingDisk, WhatNoLongerFitsIsDroppedAndCounted) {
    auto db = open();
    disk_error = ENOSPC;
    for (GhostId id = 1; id <= 2000; ++id) {
        append(*db, id);
    }
    EXPECT_EQ(db->dropped(), 2000U - 1024U);
    disk_error = 0;
    db->retry();
    EXPECT_THAT(told_.back(), HasSubstr("976 incidents were dropped"));
    EXPECT_THAT(ghosts_of(*db, {}, 5000), SizeIs(1024));
    EXPECT_EQ(db->dropped(), 0U);
}

TEST_F(FailingDisk, IdsGivenWhileTheDiskRefusesNeverComeAgain) {
    std::set<GhostId> ids;
    {
        auto db = open();
        disk_error = EIO;
        for (int count = 0; count < 3000; ++count) {
            ASSERT_TRUE(ids.insert(db->next()).second);
        }
        EXPECT_NE(db->degraded(), "");
    }
    clock_.advance(std::chrono::seconds{1});
    {
        auto still_failing = open();
        ASSERT_TRUE(ids.insert(still_failing->next()).second);
        disk_error = 0;
        still_failing->retry();
        EXPECT_EQ(still_failing->degraded(), "");
        ASSERT_TRUE(ids.insert(still_failing->next()).second);
    }
    ASSERT_TRUE(ids.insert(open()->next()).second);
}

TEST_F(FailingDisk, StartsInMemoryOnAFullDiskAndMovesToTheFileLater) {
    disk_error = ENOSPC;
    auto db = open();
    EXPECT_THAT(db->degraded(), HasSubstr("in memory only"));
    for (GhostId id = 1; id <= 3; ++id) {
        append(*db, id);
    }
    db->flush();
    EXPECT_THAT(ghosts_of(*db), ElementsAre(3, 2, 1));

    disk_error = 0;
    db->retry();
    EXPECT_EQ(db->degraded(), "");
    append(*db, 4);
    db.reset();
    EXPECT_THAT(ghosts_of(*open()), ElementsAre(4, 3, 2, 1));
}

TEST_F(FailingDisk, MemoryIsNotFilledInPlaceOfTheDisk) {
    disk_error = ENOSPC;
    auto db = open();
    for (GhostId id = 1; id <= 10'000; ++id) {
        append(*db, id);
    }
    db->flush();
    EXPECT_THAT(ghosts_of(*db, {}, 100'000), SizeIs(2000));
}

// A file system that is really full: a small tmpfs that is mounted nowhere and is a child's root.

enum ChildExit : int { as_expected, not_as_expected, not_allowed };

bool enter_small_tmpfs() {
    const int context = ::fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || ::fsconfig(context, FSCONFIG_SET_STRING, "size", "512k", 0) != 0 ||
        ::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return false;
    }
    const int root = ::fsmount(context, FSMOUNT_CLOEXEC, 0);
    return root >= 0 && ::fchdir(root) == 0 && ::chroot(".") == 0;
}

void fill(const std::filesystem::path& ballast) {
    std::ofstream file{ballast, std::ios::binary};
    const std::string block(1024, 'b');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
}

ChildExit live_through_a_full_disk() {
    if (!enter_small_tmpfs()) {
        return not_allowed;
    }
    const test::FakeClock clock;
    StateDb db{"/", clock, "boot", [](std::string_view) {}};
    fill("/ballast");
    const StateDb begun_on_a_full_disk{"/other", clock, "boot", [](std::string_view) {}};
    std::set<GhostId> ids;
    for (int count = 0; count < 2000; ++count) {
        const GhostId id = db.next();
        ids.insert(id);
        if (count < 100) {
            db.append(incident(IncidentType::appeared, ghost(id), clock.wall_now()), std::string(500, 'j'));
            db.flush();
        }
    }
    const bool degraded = !db.degraded().empty() && !begun_on_a_full_disk.degraded().empty();
    std::filesystem::remove("/ballast");
    db.retry();
    const auto rows = db.history({}, 1000);
    const bool recovered = db.degraded().empty() && rows && rows->size() == 100;
    return degraded && recovered && ids.size() == 2000 ? as_expected : not_as_expected;
}

TEST_F(StateDbTest, LivesThroughAFileSystemThatIsReallyFull) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(live_through_a_full_disk());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
    if (WEXITSTATUS(status) == not_allowed) {
        GTEST_SKIP() << "making a file system takes CAP_SYS_ADMIN";
    }
    EXPECT_EQ(WEXITSTATUS(status), as_expected);
}

TEST_F(StateDbTest, WaitsForAnotherProcessThatHoldsTheFile) {
    auto db = open();
    {
        const auto other = Database::open(file());
        ASSERT_TRUE(other->execute("BEGIN IMMEDIATE"));
        append(*db, 1);
        db->flush();
        EXPECT_THAT(db->degraded(), HasSubstr("locked"));
    }
    db->retry();
    EXPECT_EQ(db->degraded(), "");
    EXPECT_THAT(ghosts_of(*db), ElementsAre(1));
}

TEST_F(StateDbTest, WorksInMemoryWhereThereIsNoDirectory) {
    const auto file = folder_.write("in the way", "");
    StateDb db{file, clock_, "boot", [this](std::string_view text) {
                   told_.emplace_back(text);
               }};
    EXPECT_THAT(db.degraded(), HasSubstr("in memory only"));
    EXPECT_GT(db.next(), 0U);
}

} // namespace
} // namespace egb::state
