// SPDX-License-Identifier: Apache-2.0
#include "host/mount_files.hpp"

#include "harness/mount_space.hpp"
#include "harness/temp_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

namespace egb::host {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;

class MountFilesTest : public testing::Test {
protected:
    [[nodiscard]] static FileName name(const fs::path& path) {
        return {.mount_namespace = test::own_mount_namespace(), .path = path};
    }
    [[nodiscard]] Result<FileSight> look(const fs::path& path) { return files_.look(name(path)); }

    test::TempFolder folder_;
    ProcFs procfs_{"/proc"};
    MountFiles files_{procfs_};
};

TEST_F(MountFilesTest, tells_what_stat_tells) {
    const auto path = folder_.write("x.lock", "4711\n");
    ::chmod(path.c_str(), 0640);
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    const auto sight = look(path);
    ASSERT_TRUE(sight) << sight.error().message;
    EXPECT_EQ(sight->id.device, status.st_dev);
    EXPECT_EQ(sight->id.inode, status.st_ino);
    EXPECT_EQ(sight->path, path);
    EXPECT_EQ(sight->changed_ns, (status.st_ctim.tv_sec * 1'000'000'000) + status.st_ctim.tv_nsec);
    EXPECT_EQ(sight->type, FileType::regular);
    EXPECT_EQ(sight->mode, 0640U);
    EXPECT_EQ(sight->size, 5U);
    EXPECT_EQ(sight->links, 1U);
    EXPECT_EQ(sight->content, "4711\n");
    EXPECT_TRUE(sight->is_local);
    EXPECT_FALSE(sight->is_mount_point);
}

TEST_F(MountFilesTest, tells_how_the_machine_has_it) {
    const test::TempFolder folder{"/dev/shm"}; // the machine has it, too
    const auto path = folder.write("deep/x.lock", "");
    const auto sight = look(path);
    ASSERT_TRUE(sight) << sight.error().message;
    EXPECT_EQ(files_.file_system_of(sight->id.device), "tmpfs");
    EXPECT_EQ(files_.file_system_of(0), "");
    EXPECT_THAT(files_.machine_paths(*sight), testing::Contains(path));
    EXPECT_THAT(files_.machine_paths({}), testing::IsEmpty());
}

TEST_F(MountFilesTest, a_way_that_links_make_too_long_is_not_gone) {
    const std::string there_and_back = "deep/../";
    fs::create_directory(folder_.path() / "deep");
    std::string way;
    while (way.size() + there_and_back.size() < 4000) {
        way += there_and_back;
    }
    folder_.write("x.lock", "");
    for (int link = 0; link < 5; ++link) {
        fs::create_symlink(way + (link == 0 ? "." : std::to_string(link - 1)),
                           folder_.path() / std::to_string(link));
    }
    EXPECT_TRUE(look(folder_.path() / "0/x.lock"));
    EXPECT_EQ(look(folder_.path() / "4/x.lock").error().code, ErrorCode::invalid);
    EXPECT_TRUE(fs::exists(folder_.path() / "4/x.lock")) << "the kernel goes it";
}

TEST_F(MountFilesTest, a_file_of_the_same_name_is_another) {
    const auto path = folder_.write("x.lock", "");
    const auto before = look(path);
    fs::remove(path);
    folder_.write("x.lock", "");
    const auto after = look(path);
    ASSERT_TRUE(before && after);
    EXPECT_NE(before->id, after->id) << "whether or not the inode number has come again";
    EXPECT_TRUE(files_.open(name(path), after->id));
    EXPECT_EQ(files_.open(name(path), before->id).error().code, ErrorCode::changed);
}

TEST_F(MountFilesTest, looks_into_directories_and_links) {
    fs::create_directory(folder_.path() / "empty");
    folder_.write("full/entry", "");
    fs::create_symlink("host-4711", folder_.path() / "SingletonLock");
    EXPECT_TRUE(look(folder_.path() / "empty")->is_empty);
    EXPECT_FALSE(look(folder_.path() / "full")->is_empty);
    const auto link = look(folder_.path() / "SingletonLock");
    EXPECT_EQ(link->type, FileType::link);
    EXPECT_EQ(link->content, "host-4711");
}

TEST_F(MountFilesTest, follows_links_on_the_way_and_tells_the_path_without_them) {
    folder_.write("real/x.lock", "content");
    fs::create_directory_symlink("real", folder_.path() / "relative");
    fs::create_directory_symlink(folder_.path() / "relative", folder_.path() / "absolute");
    const auto sight = look(folder_.path() / "absolute/../absolute/./x.lock");
    ASSERT_TRUE(sight) << sight.error().message;
    EXPECT_EQ(sight->path, folder_.path() / "real/x.lock");
    EXPECT_EQ(sight->content, "content");
}

TEST_F(MountFilesTest, gives_up_on_links_that_lead_in_a_circle) {
    fs::create_directory_symlink("b", folder_.path() / "a");
    fs::create_directory_symlink("a", folder_.path() / "b");
    EXPECT_EQ(look(folder_.path() / "a/x.lock").error().code, ErrorCode::invalid);
}

TEST_F(MountFilesTest, nothing_is_above_the_root) {
    const auto path = folder_.write("x.lock", "");
    EXPECT_TRUE(look(fs::path{"/../.."} / path.relative_path()));
    EXPECT_EQ(look("x.lock").error().code, ErrorCode::invalid);
    EXPECT_EQ(look(folder_.path() / "nothing").error().code, ErrorCode::not_found);
    EXPECT_EQ(look(path / "below").error().code, ErrorCode::not_found);
}

TEST_F(MountFilesTest, a_look_is_not_an_access) {
    const auto path = folder_.write("x.lock", "content");
    const timespec long_ago[]{{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 2, .tv_nsec = 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0), 0);
    EXPECT_EQ(look(path)->content, "content");
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_atim.tv_sec, 1);
}

TEST_F(MountFilesTest, opens_no_fifo_and_reads_no_large_file) {
    ASSERT_EQ(::mkfifo((folder_.path() / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(look(folder_.path() / "fifo")->type, FileType::other);
    const auto large = folder_.write("large", "");
    fs::resize_file(large, 65'537);
    EXPECT_EQ(look(large)->content, "");
    EXPECT_EQ(look(folder_.write("longer", std::string(1000, 'x')))->content.size(), content_looked_at);
}

TEST_F(MountFilesTest, stops_before_a_file_system_that_may_not_answer) {
    const auto sight = look("/proc/self/status");
    ASSERT_TRUE(sight) << sight.error().message;
    EXPECT_FALSE(sight->is_local);
    EXPECT_EQ(sight->file_system, "proc");
    EXPECT_EQ(sight->path, "/proc");
    EXPECT_EQ(files_.open(name("/proc/self/status"), {}).error().code, ErrorCode::changed);
}

TEST_F(MountFilesTest, sees_another_mount_namespace_as_its_processes_do) {
    const auto hidden = folder_.write("x.lock", "ours");
    const test::MountSpace space{folder_.path()};
    std::ofstream{space.seen_from_here(hidden)} << "theirs";
    fs::create_directory(space.seen_from_here(folder_.path() / "real"));
    std::ofstream{space.seen_from_here(folder_.path() / "real/y.lock")} << "behind a link";
    fs::create_directory_symlink(folder_.path() / "real", space.seen_from_here(folder_.path() / "link"));

    const auto theirs = files_.look({.mount_namespace = space.inode(), .path = hidden});
    ASSERT_TRUE(theirs) << theirs.error().message;
    EXPECT_EQ(theirs->content, "theirs");
    EXPECT_EQ(theirs->file_system, "tmpfs");
    EXPECT_EQ(look(hidden)->content, "ours");
    EXPECT_EQ(
        files_.look({.mount_namespace = space.inode(), .path = folder_.path() / "link/y.lock"})->content,
        "behind a link")
        << "an absolute link stays within";
    EXPECT_TRUE(files_.look({.mount_namespace = space.inode(), .path = folder_.path()})->is_mount_point);
}

TEST_F(MountFilesTest, does_not_take_a_new_process_for_the_one_through_whom_it_looked) {
    const auto path = folder_.path() / "x.lock";
    FileName name{.mount_namespace = 0, .path = path};
    FileIdentity theirs;
    {
        const test::MountSpace space{folder_.path()};
        std::ofstream{space.seen_from_here(path)} << "theirs";
        name.mount_namespace = space.inode();
        theirs = files_.look(name)->id;
    }
    EXPECT_THAT(files_.open(name, theirs).error().code, AnyOf(ErrorCode::changed, ErrorCode::not_found));
}

TEST(MountFilesOfOthers, a_file_of_the_machine_is_found_when_its_mount_namespaces_number_is_anothers_by_now) {
    const test::TempFolder folder{"/dev/shm"}; // the machine has it, too
    const auto path = folder.write("x.lock", "the machine's");
    const ProcFs procfs{"/proc"};
    MountFiles files{procfs};
    FileName name{.mount_namespace = test::own_mount_namespace(), .path = path};
    const auto id = files.look(name).value().id;
    const test::MountSpace another{folder.path()};
    name.mount_namespace = another.inode();
    EXPECT_EQ(files.find(name, id)->content, "the machine's");
    EXPECT_NE(name.mount_namespace, another.inode());
    EXPECT_TRUE(files.open(name, id));
}

/// With the last process of a mount namespace its mounts go, and a way through them leads astray.
TEST(MountFilesOfOthers, a_file_of_the_machine_is_found_while_the_mount_namespace_it_was_made_in_ends) {
    const test::TempFolder folder{"/dev/shm"}; // a mount below the root
    const test::TempFolder own;
    const auto path = folder.write("x.lock", "");
    const ProcFs procfs{"/proc"};
    MountFiles files{procfs};
    for (int round = 0; round < 50; ++round) {
        auto space = std::make_unique<test::MountSpace>(own.path());
        const FileName name{.mount_namespace = space->inode(), .path = path};
        const auto before = files.look(name);
        ASSERT_TRUE(before);
        std::atomic<bool> over{};
        const std::jthread ending{[&] {
            space.reset();
            over = true;
        }};
        while (!over) {
            FileName by_now = name; // its number may be another's
            const auto sight = files.find(by_now, before->id);
            ASSERT_TRUE(sight) << "round " << round << ": " << sight.error().message;
        }
    }
}

} // namespace
} // namespace egb::host
