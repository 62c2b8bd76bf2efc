// SPDX-License-Identifier: Apache-2.0
// What the contract in directory_kind.hpp promises to tests outside of the process.
#include "harness/directory_kind.hpp"

#include "harness/builders.hpp"
#include "harness/fake_surroundings.hpp"
#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

namespace egb::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::IsEmpty;

class DirectoryKindTest : public testing::Test {
protected:
    void SetUp() override {
        around_.proc.add({.pid = 42, .comm = "app"});
        ASSERT_TRUE(kind_.start());
    }

    void write(const std::string& name, std::string_view text) { folder_.write(name, text); }
    void remove(const std::string& name) { ASSERT_TRUE(fs::remove(folder_.path() / name)); }
    [[nodiscard]] bool exists(const fs::path& name) const { return fs::exists(folder_.path() / name); }

    /// What the tracker makes of everything that has happened by now.
    Changes changes() {
        while (*kind_.drain()) {
        }
        return kind_.tracker().tick(around_.clock.now());
    }

    /// The one ghost that there is, under an id that the ledger would have given.
    Ghost ghost_of(const std::string& name, std::string_view text = "proven\n") {
        write(name, text);
        auto ghosts = changes().ghosts;
        EXPECT_THAT(ghosts, testing::SizeIs(1));
        ghosts.at(0).id = 17;
        return ghosts.at(0);
    }

    Outcome clean(const Ghost& ghost) {
        return kind_.cleaner()->clean(std::array<GhostPtr, 1>{std::make_shared<const Ghost>(ghost)}).at(0);
    }

    TempFolder folder_;
    FakeSurroundings around_;
    DirectoryKind kind_{around_.all(), folder_.path()};
};

TEST_F(DirectoryKindTest, takes_a_file_for_a_thing) {
    const auto ghost = ghost_of("a", "proven\npid 42\npid 43\n");
    EXPECT_EQ(ghost.key, "a");
    EXPECT_EQ(ghost.grade, Grade::proven);
    ASSERT_EQ(ghost.holders.size(), 1);
    EXPECT_EQ(ghost.holders[0].process->comm, "app");
    EXPECT_EQ(kind_.tracker().tracked(), 1);
}

TEST_F(DirectoryKindTest, suspects_what_nobody_vouches_for) {
    EXPECT_EQ(ghost_of("a", "").grade, Grade::suspected);
}

TEST_F(DirectoryKindTest, changes_its_mind_when_the_file_is_written_anew) {
    ghost_of("a", "");
    EXPECT_EQ(ghost_of("a", "proven\n").grade, Grade::proven);
    write("a", "proven\n");
    EXPECT_TRUE(changes().empty());
}

TEST_F(DirectoryKindTest, waits_for_the_grace) {
    OptionValues options{fake_info().options};
    ASSERT_TRUE(options.set("Grace", "10s"));
    kind_.configure(options);
    write("a", "proven\n");
    EXPECT_TRUE(changes().empty());
    EXPECT_EQ(kind_.tracker().deadline(), around_.clock.now() + 10s);
    around_.clock.advance(10s);
    EXPECT_THAT(changes().ghosts, testing::SizeIs(1));
}

TEST_F(DirectoryKindTest, tells_that_a_file_was_removed) {
    ghost_of("a");
    remove("a");
    const auto vanished = changes().vanished;
    ASSERT_EQ(vanished.size(), 1);
    EXPECT_EQ(vanished[0].key, "a");
    EXPECT_EQ(kind_.tracker().tracked(), 0);
}

TEST_F(DirectoryKindTest, takes_another_file_of_the_same_name_for_another_thing) {
    ghost_of("a");
    write(".new", "proven\n");
    fs::rename(folder_.path() / ".new", folder_.path() / "a");
    const auto told = changes();
    EXPECT_THAT(told.vanished, testing::SizeIs(1));
    EXPECT_THAT(told.ghosts, testing::SizeIs(1));
}

TEST_F(DirectoryKindTest, a_thing_that_names_nobody_is_held_by_somebody) {
    EXPECT_THAT(ghost_of("a").holders, testing::SizeIs(1));
    EXPECT_THAT(ghost_of("b", "proven\npid 43\n").holders, IsEmpty());
}

TEST_F(DirectoryKindTest, overlooks_what_is_no_thing) {
    write(".hidden", "proven\n");
    write("folder/file", "proven\n");
    write(std::string(101, 'x'), "proven\n");
    fs::create_symlink("/etc/passwd", folder_.path() / "link");
    ASSERT_TRUE(kind_.sweep(SweepReason::request));
    EXPECT_TRUE(changes().empty());
}

TEST_F(DirectoryKindTest, finds_in_a_sweep_what_no_event_told_of) {
    write("before", "proven\n");
    DirectoryKind later{around_.all(), folder_.path()};
    ASSERT_TRUE(later.start());
    ASSERT_TRUE(later.sweep(SweepReason::startup));
    const auto ghosts = later.tracker().tick(around_.clock.now()).ghosts;
    ASSERT_EQ(ghosts.size(), 1);
    EXPECT_EQ(ghosts[0].since_kind, SinceKind::at_least);
    remove("before");
    ASSERT_TRUE(later.sweep(SweepReason::timer));
    EXPECT_THAT(later.tracker().tick(around_.clock.now()).vanished, testing::SizeIs(1));
}

TEST_F(DirectoryKindTest, cleans_into_a_quarantine_and_restores) {
    const auto ghost = ghost_of("a");
    ASSERT_TRUE(kind_.cleaner()->confirm(ghost));
    EXPECT_EQ(clean(ghost).verdict, Verdict::cleaned);
    EXPECT_FALSE(exists("a"));
    EXPECT_TRUE(exists(".quarantine/17.a"));
    EXPECT_THAT(changes().vanished, testing::SizeIs(1));

    EXPECT_EQ(kind_.cleaner()->restore(17), (folder_.path() / "a").string());
    EXPECT_TRUE(exists("a"));
    EXPECT_THAT(changes().ghosts, testing::SizeIs(1));
    EXPECT_EQ(kind_.cleaner()->restore(17).error().code, ErrorCode::not_found);
}

TEST_F(DirectoryKindTest, does_not_restore_over_what_is_there_now) {
    ASSERT_EQ(clean(ghost_of("a")).verdict, Verdict::cleaned);
    write("a", "another");
    EXPECT_FALSE(kind_.cleaner()->restore(17));
    EXPECT_TRUE(exists(".quarantine/17.a"));
}

TEST_F(DirectoryKindTest, confirms_only_the_very_file_that_was_judged) {
    const auto ghost = ghost_of("a");
    write(".new", "proven\n");
    fs::rename(folder_.path() / ".new", folder_.path() / "a");
    EXPECT_EQ(kind_.cleaner()->confirm(ghost).error().code, ErrorCode::changed);
    remove("a");
    EXPECT_EQ(kind_.cleaner()->confirm(ghost).error().code, ErrorCode::not_found);
}

TEST_F(DirectoryKindTest, fails_to_clean_what_is_stubborn) {
    const auto ghost = ghost_of("a");
    write(".stubborn", "");
    EXPECT_EQ(clean(ghost).verdict, Verdict::failed);
    EXPECT_TRUE(exists("a"));
}

TEST_F(DirectoryKindTest, loses_as_many_events_as_it_is_told_to) {
    EXPECT_EQ(kind_.lost(), 0);
    write(".lost", "3\n");
    changes();
    EXPECT_EQ(kind_.lost(), 3);
}

TEST_F(DirectoryKindTest, loses_events_when_there_are_too_many) {
    constexpr int more_than_the_kernel_queues = 20'000;
    for (int number = 0; number < more_than_the_kernel_queues; ++number) {
        write(number % 2 == 0 ? "a" : "b", "");
    }
    changes();
    EXPECT_EQ(kind_.lost(), 1);
}

TEST_F(DirectoryKindTest, sends_canaries_through_the_kernel_unless_it_is_deaf) {
    ASSERT_TRUE(kind_.provoke_canary());
    EXPECT_EQ(kind_.canaries(), 0);
    changes();
    EXPECT_EQ(kind_.canaries(), 1);
    write(".deaf", "");
    ASSERT_TRUE(kind_.provoke_canary());
    changes();
    EXPECT_EQ(kind_.canaries(), 1);
}

TEST_F(DirectoryKindTest, cannot_watch_what_is_not_there) {
    const host::Surroundings surroundings = around_.all();
    DirectoryKind nowhere{surroundings, folder_.path() / "nowhere"};
    EXPECT_EQ(nowhere.start().error().code, ErrorCode::not_found);
    EXPECT_FALSE(nowhere.capabilities().at(0).works);
    EXPECT_TRUE(kind_.capabilities().at(0).works);

    ASSERT_EQ(::unsetenv(fake_directory_variable), 0);
    EXPECT_EQ(make_directory_kind(surroundings)->start().error().code, ErrorCode::invalid);
    ASSERT_EQ(::setenv(fake_directory_variable, folder_.path().c_str(), 1), 0);
    EXPECT_TRUE(make_directory_kind(surroundings)->start());
}

} // namespace
} // namespace egb::test
