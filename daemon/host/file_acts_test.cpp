// SPDX-License-Identifier: Apache-2.0
// Files that come into quarantine, and those that must not. The races are not waited for: what somebody else
// does meanwhile is done where the act waits for the disk, or asks for the last time.
#include "host/file_acts.hpp"

#include "core/format.hpp"
#include "harness/builders.hpp"
#include "harness/fake_quarantine.hpp"
#include "harness/mount_space.hpp"
#include "harness/temp_folder.hpp"
#include "host/mount_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace egb::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// Lets somebody else have his turn while it writes to the disk.
class SlowQuarantine final : public Quarantine {
public:
    [[nodiscard]] Result<> keep(const Ghost& ghost, const QuarantinedFile& file) override {
        meanwhile_();
        return kept_.keep(ghost, file);
    }
    [[nodiscard]] Result<> settle(GhostId ghost) override { return kept_.settle(ghost); }
    [[nodiscard]] Result<> drop(GhostId ghost) override { return kept_.drop(ghost); }
    [[nodiscard]] Result<Ward> find(GhostId ghost) const override { return kept_.find(ghost); }
    Result<> give_up(GhostId ghost) override { return kept_.give_up(ghost); }
    [[nodiscard]] Result<std::vector<Ward>> underway() const override { return kept_.underway(); }

    void meanwhile(std::function<void()> work) { meanwhile_ = std::move(work); }
    void refuse(Error why) { kept_.refuse(std::move(why)); }

private:
    test::FakeQuarantine kept_;
    std::function<void()> meanwhile_{[] {}};
};

class FileActsTest : public testing::Test {
protected:
    FileActsTest() { ghost_.id = 17; }

    [[nodiscard]] FileTarget target(const fs::path& path) {
        const FileName name{.mount_namespace = test::own_mount_namespace(), .path = path};
        const auto sight = files_.look(name);
        EXPECT_TRUE(sight) << sight.error().message;
        return {.name = name, .id = sight->id, .changed_ns = sight->changed_ns, .most_bytes = 1000};
    }

    Result<> quarantine(
        const FileTarget& target, const LastLook& last_look = [](int) {
            return Result<>{};
        }) {
        return acts_.quarantine(target, last_look, {.quarantine = quarantine_, .ghost = ghost_},
                                Earnest::real);
    }
    Result<> quarantine(const fs::path& path) { return quarantine(target(path)); }

    Result<std::string> restore() {
        return quarantine_.find(ghost_.id).and_then([this](const Ward& ward) {
            return acts_.restore(ward.file, Earnest::real);
        });
    }
    [[nodiscard]] Ward ward() const { return quarantine_.find(ghost_.id).value(); }
    [[nodiscard]] bool kept() const { return quarantine_.find(ghost_.id).has_value(); }

    /// All names in the folder.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator{folder_.path()}) {
            names.push_back(entry.path().filename());
        }
        return names;
    }

    [[nodiscard]] static struct stat status(const fs::path& path) {
        struct stat status{};
        EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
        return status;
    }

    static std::string content(const fs::path& path) {
        std::ifstream file{path};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

    /// As somebody does who takes the lock anew.
    void replace(const fs::path& path) const {
        fs::remove(path);
        folder_.write(path.filename(), "another's");
    }

    test::TempFolder folder_;
    const fs::path lock_{folder_.path() / "x.lock"};
    ProcFs procfs_{"/proc"};
    MountFiles files_{procfs_};
    FileActs acts_{procfs_};
    SlowQuarantine quarantine_;
    Ghost ghost_ = test::make_ghost("a lock");
};

TEST_F(FileActsTest, a_file_goes_and_comes_back_as_it_was) {
    folder_.write("x.lock", "4711\n");
    ASSERT_EQ(::chown(lock_.c_str(), 1234, 5678), 0);
    ASSERT_EQ(::chmod(lock_.c_str(), 0604), 0);
    ASSERT_EQ(::setxattr(lock_.c_str(), "user.note", "a\0b", 3, 0), 0);
    const timespec times[]{{.tv_sec = 10, .tv_nsec = 11}, {.tv_sec = 20, .tv_nsec = 21}};
    ASSERT_EQ(::utimensat(AT_FDCWD, lock_.c_str(), times, 0), 0);

    const auto taken = quarantine(lock_);
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_THAT(names(), IsEmpty());
    EXPECT_EQ(ward().custody, Custody::kept);
    EXPECT_EQ(ward().file.content, "4711\n");

    const auto restored = restore();
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(*restored, lock_);
    EXPECT_THAT(names(), ElementsAre("x.lock"));
    const auto now = status(lock_);
    EXPECT_EQ(now.st_mode, S_IFREG | 0604U);
    EXPECT_EQ(now.st_uid, 1234U);
    EXPECT_EQ(now.st_gid, 5678U);
    EXPECT_EQ(now.st_atim.tv_sec, 10);
    EXPECT_EQ(now.st_mtim.tv_sec, 20);
    EXPECT_EQ(now.st_mtim.tv_nsec, 21);
    EXPECT_EQ(content(lock_), "4711\n");
    std::string note(8, ' ');
    note.resize(static_cast<std::size_t>(::getxattr(lock_.c_str(), "user.note", note.data(), note.size())));
    EXPECT_EQ(note, std::string("a\0b", 3));
}

TEST_F(FileActsTest, a_link_goes_and_comes_back) {
    fs::create_symlink("host-4711", lock_);
    ASSERT_EQ(::lchown(lock_.c_str(), 1234, 5678), 0);
    ASSERT_TRUE(quarantine(lock_));
    EXPECT_THAT(names(), IsEmpty());
    const auto restored = restore();
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(fs::read_symlink(lock_), "host-4711");
    EXPECT_EQ(status(lock_).st_uid, 1234U);
    EXPECT_THAT(names(), ElementsAre("x.lock"));
}

TEST_F(FileActsTest, a_directory_goes_and_comes_back) {
    fs::create_directory(lock_);
    ASSERT_EQ(::chown(lock_.c_str(), 1234, 5678), 0);
    ASSERT_EQ(::chmod(lock_.c_str(), 01705), 0);
    ASSERT_TRUE(quarantine(lock_));
    EXPECT_THAT(names(), IsEmpty());
    const auto restored = restore();
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(status(lock_).st_mode, S_IFDIR | 01705U);
    EXPECT_EQ(status(lock_).st_uid, 1234U);
    EXPECT_THAT(names(), ElementsAre("x.lock"));
}

// What is never touched.

TEST_F(FileActsTest, a_directory_with_something_in_it_stays) {
    folder_.write("x.lock/owner", "4711");
    EXPECT_EQ(quarantine(lock_).error().code, ErrorCode::denied);
    EXPECT_TRUE(fs::exists(lock_ / "owner"));
}

TEST_F(FileActsTest, a_file_with_another_name_stays) {
    const auto precious = folder_.write("shadow", "secret");
    fs::create_hard_link(precious, lock_);
    EXPECT_THAT(quarantine(lock_).error().message, HasSubstr("other names"));
    EXPECT_TRUE(fs::exists(lock_));
    EXPECT_FALSE(kept());
}

TEST_F(FileActsTest, what_no_lock_is_made_of_stays) {
    ASSERT_EQ(::mkfifo(lock_.c_str(), 0600), 0);
    EXPECT_EQ(quarantine(lock_).error().code, ErrorCode::denied);
    const auto program = folder_.write("y.lock", "");
    ASSERT_EQ(::chmod(program.c_str(), 04755), 0);
    EXPECT_EQ(quarantine(program).error().code, ErrorCode::denied);
    const auto large = folder_.write("z.lock", std::string(1001, 'x'));
    EXPECT_EQ(quarantine(large).error().code, ErrorCode::denied);
    EXPECT_THAT(names(), UnorderedElementsAre("x.lock", "y.lock", "z.lock"));
}

TEST_F(FileActsTest, what_has_changed_since_it_was_judged_stays) {
    folder_.write("x.lock", "");
    auto before = target(lock_);
    folder_.write("x.lock", "4711");
    EXPECT_EQ(quarantine(before).error().code, ErrorCode::changed);
    before = target(lock_);
    replace(lock_);
    EXPECT_EQ(quarantine(before).error().code, ErrorCode::changed);
    EXPECT_EQ(content(lock_), "another's");
    fs::remove(lock_);
    EXPECT_EQ(quarantine(before).error().code, ErrorCode::not_found);
}

TEST_F(FileActsTest, a_link_swapped_in_for_the_directory_leads_nowhere) {
    const auto path = folder_.write("mine/x.lock", "");
    const auto judged = target(path);
    fs::rename(folder_.path() / "mine", folder_.path() / "elsewhere");
    fs::create_directory_symlink("elsewhere", folder_.path() / "mine");
    EXPECT_EQ(quarantine(judged).error().code, ErrorCode::changed);
    EXPECT_TRUE(fs::exists(folder_.path() / "elsewhere/x.lock"));
    EXPECT_FALSE(kept());
}

TEST_F(FileActsTest, what_cannot_be_kept_is_not_touched) {
    folder_.write("x.lock", "4711");
    const auto judged = target(lock_);
    quarantine_.refuse({ErrorCode::busy, "full"});
    EXPECT_EQ(quarantine(judged).error(), (Error{ErrorCode::busy, "full"}));
    EXPECT_EQ(target(lock_).changed_ns, judged.changed_ns);
}

TEST_F(FileActsTest, a_rehearsal_touches_nothing) {
    folder_.write("x.lock", "4711");
    const auto judged = target(lock_);
    const auto answer = acts_.quarantine(
        judged,
        [](int) {
            return Result<>{};
        },
        {quarantine_, ghost_}, Earnest::rehearsal);
    EXPECT_EQ(answer.error().code, ErrorCode::denied);
    EXPECT_THAT(answer.error().message, HasSubstr("dry run"));
    EXPECT_FALSE(kept());
    EXPECT_EQ(target(lock_).changed_ns, judged.changed_ns);
}

// Races.

TEST_F(FileActsTest, a_lock_taken_anew_between_the_look_and_the_claim_stays) {
    folder_.write("x.lock", "old");
    quarantine_.meanwhile([this] {
        replace(lock_);
    });
    EXPECT_EQ(quarantine(lock_).error().code, ErrorCode::changed);
    EXPECT_EQ(content(lock_), "another's");
    EXPECT_THAT(names(), ElementsAre("x.lock"));
    EXPECT_FALSE(kept());
}

TEST_F(FileActsTest, what_goes_by_itself_between_the_look_and_the_claim_is_gone) {
    folder_.write("x.lock", "old");
    quarantine_.meanwhile([this] {
        fs::remove(lock_);
    });
    EXPECT_EQ(quarantine(lock_).error().code, ErrorCode::not_found);
    EXPECT_FALSE(kept());
}

TEST_F(FileActsTest, what_somebody_holds_at_the_last_look_is_put_back) {
    folder_.write("x.lock", "old");
    const auto judged = target(lock_);
    const auto answer = quarantine(judged, [this](int fd) -> Result<> {
        EXPECT_GE(fd, 0);
        EXPECT_FALSE(fs::exists(lock_)) << "nobody finds it by now";
        return fail(ErrorCode::busy, "somebody has it open");
    });
    EXPECT_EQ(answer.error(), (Error{ErrorCode::busy, "somebody has it open"}));
    EXPECT_THAT(names(), ElementsAre("x.lock"));
    EXPECT_EQ(target(lock_).id, judged.id) << "the very file";
    EXPECT_FALSE(kept());
}

TEST_F(FileActsTest, what_is_touched_under_its_hidden_name_is_put_back) {
    for (const bool written : {true, false}) {
        folder_.write("x.lock", "old");
        const auto answer = quarantine(target(lock_), [&](int) -> Result<> {
            const auto hidden = folder_.path() / names().at(0);
            if (written) {
                std::ofstream{hidden, std::ios::app} << "new";
            } else {
                fs::create_hard_link(hidden, folder_.path() / "kept aside");
            }
            return {};
        });
        EXPECT_EQ(answer.error().code, ErrorCode::changed);
        EXPECT_EQ(content(lock_), written ? "oldnew" : "old");
    }
    EXPECT_FALSE(kept());
}

TEST_F(FileActsTest, a_directory_that_is_filled_under_its_hidden_name_is_put_back) {
    fs::create_directory(lock_);
    const auto answer = quarantine(target(lock_), [&](int) -> Result<> {
        folder_.write(fs::path{names().at(0)} / "owner", "4711");
        return {};
    });
    EXPECT_FALSE(answer);
    EXPECT_TRUE(fs::exists(lock_ / "owner"));
    EXPECT_FALSE(kept());
}

TEST_F(FileActsTest, a_lock_made_after_the_claim_is_not_touched) {
    folder_.write("x.lock", "old");
    const auto answer = quarantine(target(lock_), [this](int) {
        folder_.write("x.lock", "another's");
        return Result<>{};
    });
    EXPECT_TRUE(answer);
    EXPECT_EQ(content(lock_), "another's");
    EXPECT_THAT(names(), ElementsAre("x.lock"));
    EXPECT_EQ(ward().file.content, "old");
}

TEST_F(FileActsTest, what_cannot_be_put_back_keeps_its_hidden_name_until_the_other_has_gone) {
    folder_.write("x.lock", "old");
    const auto answer = quarantine(target(lock_), [this](int) -> Result<> {
        folder_.write("x.lock", "another's");
        return fail(ErrorCode::busy, "somebody has it open");
    });
    const auto hidden = ward().file.hidden_name;
    EXPECT_THAT(answer.error().message, HasSubstr(hidden));
    EXPECT_THAT(names(), UnorderedElementsAre("x.lock", hidden));
    EXPECT_EQ(content(lock_), "another's");
    EXPECT_EQ(ward().custody, Custody::underway);

    EXPECT_EQ(acts_.recover(ward().file, Earnest::real).error().code, ErrorCode::busy);
    fs::remove(lock_);
    EXPECT_EQ(acts_.recover(ward().file, Earnest::real), Whereabouts::in_place);
    EXPECT_EQ(content(lock_), "old");
    EXPECT_THAT(names(), ElementsAre("x.lock"));
}

// A crash: what is kept is all that is known.

TEST_F(FileActsTest, after_a_crash_what_is_hidden_is_put_back) {
    folder_.write("x.lock", "old");
    const auto judged = target(lock_);
    QuarantinedFile file{.path = lock_, .mount_namespace = judged.name.mount_namespace};
    file.id = judged.id;
    file.hidden_name = ".ghost-1";
    fs::rename(lock_, folder_.path() / file.hidden_name);
    EXPECT_EQ(acts_.recover(file, Earnest::rehearsal).error().code, ErrorCode::denied);
    EXPECT_THAT(names(), ElementsAre(".ghost-1"));
    EXPECT_EQ(acts_.recover(file, Earnest::real), Whereabouts::in_place);
    EXPECT_THAT(names(), ElementsAre("x.lock"));
    EXPECT_EQ(acts_.recover(file, Earnest::real), Whereabouts::in_place) << "it is where it was";
}

TEST_F(FileActsTest, after_a_crash_another_file_that_was_claimed_is_put_back_and_nothing_is_forgotten) {
    folder_.write("x.lock", "old");
    QuarantinedFile file{.path = lock_, .mount_namespace = test::own_mount_namespace()};
    file.id = target(lock_).id;
    file.hidden_name = ".ghost-1";
    fs::remove(lock_);
    folder_.write(".ghost-1", "another's");
    EXPECT_EQ(acts_.recover(file, Earnest::real), Whereabouts::gone);
    EXPECT_EQ(content(lock_), "another's");
    EXPECT_THAT(names(), ElementsAre("x.lock"));
}

TEST_F(FileActsTest, after_a_crash_what_was_taken_is_gone) {
    folder_.write("x.lock", "old");
    ASSERT_TRUE(quarantine(lock_));
    EXPECT_EQ(acts_.recover(ward().file, Earnest::real), Whereabouts::gone);
    folder_.write("x.lock", "another's");
    EXPECT_EQ(acts_.recover(ward().file, Earnest::real), Whereabouts::gone);
}

TEST_F(FileActsTest, in_another_directory_nobody_can_tell_what_has_become_of_it) {
    folder_.write("run/x.lock", "old");
    ASSERT_TRUE(quarantine(folder_.path() / "run/x.lock"));
    fs::rename(folder_.path() / "run", folder_.path() / "old run");
    EXPECT_EQ(acts_.recover(ward().file, Earnest::real).error().code, ErrorCode::not_found);
    fs::create_directory(folder_.path() / "run");
    EXPECT_EQ(acts_.recover(ward().file, Earnest::real).error().code, ErrorCode::lost);
}

// Restoring.

TEST_F(FileActsTest, nothing_is_restored_over_what_is_there_now) {
    for (const auto type : {FileType::regular, FileType::directory, FileType::link}) {
        if (type == FileType::regular) {
            folder_.write("x.lock", "old");
        } else if (type == FileType::directory) {
            fs::create_directory(lock_);
        } else {
            fs::create_symlink("host-4711", lock_);
        }
        ASSERT_TRUE(quarantine(lock_));
        folder_.write("x.lock", "another's");
        EXPECT_EQ(restore().error().code, ErrorCode::busy);
        EXPECT_EQ(content(lock_), "another's");
        EXPECT_THAT(names(), ElementsAre("x.lock"));
        fs::remove(lock_);
    }
}

TEST_F(FileActsTest, nothing_is_restored_into_another_directory) {
    const auto path = folder_.write("run/x.lock", "old");
    ASSERT_TRUE(quarantine(path));
    fs::rename(folder_.path() / "run", folder_.path() / "old run");
    EXPECT_EQ(restore().error().code, ErrorCode::not_found);
    fs::create_directory(folder_.path() / "run");
    EXPECT_EQ(restore().error().code, ErrorCode::changed);
    fs::remove(folder_.path() / "run");
    fs::create_directory_symlink("old run", folder_.path() / "run");
    EXPECT_EQ(restore().error().code, ErrorCode::changed) << "nor through a link to the right one";
    fs::remove(folder_.path() / "run");
    fs::rename(folder_.path() / "old run", folder_.path() / "run");
    EXPECT_TRUE(restore());
}

TEST_F(FileActsTest, a_rehearsal_restores_nothing) {
    folder_.write("x.lock", "old");
    ASSERT_TRUE(quarantine(lock_));
    EXPECT_EQ(acts_.restore(ward().file, Earnest::rehearsal).error().code, ErrorCode::denied);
    EXPECT_THAT(names(), IsEmpty());
}

// Other mount namespaces.

TEST_F(FileActsTest, a_file_of_another_mount_namespace_is_taken_and_restored_there) {
    folder_.write("x.lock", "ours");
    const test::MountSpace space{folder_.path()};
    std::ofstream{space.seen_from_here(lock_)} << "theirs";
    const FileName name{.mount_namespace = space.inode(), .path = lock_};
    const auto sight = files_.look(name);
    ASSERT_TRUE(sight);
    ASSERT_TRUE(quarantine(
        FileTarget{.name = name, .id = sight->id, .changed_ns = sight->changed_ns, .most_bytes = 1000}));
    EXPECT_FALSE(fs::exists(space.seen_from_here(lock_)));
    EXPECT_EQ(content(lock_), "ours");
    EXPECT_EQ(ward().file.mount_namespace, space.inode());
    ASSERT_TRUE(restore());
    EXPECT_EQ(content(space.seen_from_here(lock_)), "theirs");
}

/// Nobody lives in the one any more that it was made in.
TEST_F(FileActsTest, a_file_of_a_mount_namespace_whose_number_is_anothers_by_now_goes_back_to_the_machine) {
    const test::TempFolder shared{"/dev/shm"}; // the machine has it, too
    const auto path = shared.write("x.lock", "the machine's");
    ASSERT_TRUE(quarantine(path));
    const test::MountSpace another{shared.path()};
    auto file = ward().file;
    file.mount_namespace = another.inode();
    EXPECT_EQ(acts_.recover(file, Earnest::real), Whereabouts::gone);
    ASSERT_TRUE(acts_.restore(file, Earnest::real));
    EXPECT_EQ(content(path), "the machine's");
    EXPECT_FALSE(fs::exists(another.seen_from_here(path)));
}

TEST_F(FileActsTest, a_mount_point_stays) {
    folder_.write("mine/x.lock", "");
    const test::MountSpace space{folder_.path() / "mine"};
    const FileName name{.mount_namespace = space.inode(), .path = folder_.path() / "mine"};
    const auto sight = files_.look(name);
    ASSERT_TRUE(sight);
    EXPECT_EQ(
        quarantine(
            FileTarget{.name = name, .id = sight->id, .changed_ns = sight->changed_ns, .most_bytes = 1000})
            .error()
            .code,
        ErrorCode::denied);
}

} // namespace
} // namespace egb::host
