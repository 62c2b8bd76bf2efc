// SPDX-License-Identifier: Apache-2.0
// A name that is taken from one file, while others want it.
#include "host/name_claim.hpp"

#include "core/format.hpp"
#include "harness/mount_space.hpp"
#include "harness/temp_folder.hpp"
#include "host/procfs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace egb::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* hidden = ".ghost-1";
constexpr const char* folder_to_free_it = ".ghost-1-free";

/// What has the name, by the number of its inode; 0 when it is free.
ino_t inode_of(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

constexpr const char* target = "host-4711";

/// As exclusively as anything of that type is made.
bool take(FileType type, const fs::path& path) {
    switch (type) {
    case FileType::directory:
        return ::mkdir(path.c_str(), 0700) == 0;
    case FileType::link:
        return ::symlink(target, path.c_str()) == 0;
    default:
        const Fd made{::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)};
        return static_cast<bool>(made);
    }
}

void let_go(FileType type, const fs::path& path) {
    std::ignore = type == FileType::directory ? ::rmdir(path.c_str()) : ::unlink(path.c_str());
}

class NameClaimTest : public testing::TestWithParam<FileType> {
protected:
    NameClaimTest() { EXPECT_TRUE(take(type_, lock_)); }

    [[nodiscard]] FileStatus status() const { return entry_at(place_, "x.lock")->status; }
    Result<> claim_it() { return claim_.take(status()); }

    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator{folder_.path()}) {
            names.push_back(entry.path().filename());
        }
        return names;
    }

    void exchange_with(const char* other) const { ASSERT_TRUE(exchange_in(place_, "x.lock", other)); }

    /// As somebody does who knows that the owner of the lock is dead. The inode of his own.
    ino_t take_over() const {
        fs::remove(lock_);
        EXPECT_TRUE(take(type_, lock_));
        return inode_of(lock_);
    }

    const FileType type_{GetParam()};
    test::TempFolder folder_;
    const fs::path lock_{folder_.path() / "x.lock"};
    ProcFs procfs_{"/proc"};
    MountRoots roots_{procfs_};
    const FilePlace place_ =
        place_of(roots_, {.mount_namespace = test::own_mount_namespace(), .path = lock_}).value();
    const NameClaim claim_{place_, hidden, type_};
};

INSTANTIATE_TEST_SUITE_P(of, NameClaimTest,
                         testing::Values(FileType::regular, FileType::link, FileType::directory),
                         [](const auto& tested) {
                             switch (tested.param) {
                             case FileType::link:
                                 return "a_link";
                             case FileType::directory:
                                 return "a_directory";
                             default:
                                 return "a_file";
                             }
                         });

TEST_P(NameClaimTest, nobody_finds_it_and_nobody_can_take_its_name) {
    ASSERT_TRUE(claim_it());
    EXPECT_EQ(::open(lock_.c_str(), O_RDONLY | O_CLOEXEC), -1);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_EQ(::open(lock_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), -1);
    EXPECT_EQ(errno, ENOENT);
    for (const auto type : {FileType::regular, FileType::link, FileType::directory}) {
        EXPECT_FALSE(take(type, lock_));
        EXPECT_EQ(errno, EEXIST);
    }
}

TEST_P(NameClaimTest, its_owner_can_remove_what_stands_in_for_it) {
    ASSERT_EQ(::lchown(lock_.c_str(), 1234, 5678), 0);
    ASSERT_TRUE(claim_it());
    struct stat stand_in{};
    ASSERT_EQ(::lstat(lock_.c_str(), &stand_in), 0);
    EXPECT_EQ(stand_in.st_uid, 1234U);
    EXPECT_EQ(stand_in.st_gid, 5678U);
}

TEST_P(NameClaimTest, it_is_given_back) {
    const auto inode = inode_of(lock_);
    ASSERT_TRUE(claim_it());
    EXPECT_NE(inode_of(lock_), inode);
    ASSERT_TRUE(claim_.give_back());
    EXPECT_EQ(inode_of(lock_), inode);
    EXPECT_THAT(names(), ElementsAre("x.lock"));
}

TEST_P(NameClaimTest, its_name_is_let_go) {
    const auto inode = inode_of(lock_);
    ASSERT_TRUE(claim_it());
    ASSERT_TRUE(claim_.let_go());
    EXPECT_THAT(names(), ElementsAre(hidden));
    EXPECT_EQ(inode_of(folder_.path() / hidden), inode);
}

TEST_P(NameClaimTest, a_name_that_is_free_is_not_claimed) {
    const auto status = this->status();
    let_go(type_, lock_);
    EXPECT_EQ(claim_.take(status).error().code, ErrorCode::not_found);
    EXPECT_THAT(names(), IsEmpty());
}

TEST_P(NameClaimTest, whoever_takes_it_over_keeps_it) {
    ASSERT_TRUE(claim_it());
    const auto anothers = take_over();
    EXPECT_EQ(claim_.give_back().error().code, ErrorCode::busy);
    EXPECT_EQ(inode_of(lock_), anothers);
    EXPECT_TRUE(claim_.let_go());
    EXPECT_EQ(inode_of(lock_), anothers);
    EXPECT_THAT(names(), UnorderedElementsAre("x.lock", hidden));
}

TEST_P(NameClaimTest, a_name_from_which_the_stand_in_was_removed_is_free) {
    const auto inode = inode_of(lock_);
    ASSERT_TRUE(claim_it());
    fs::remove(lock_);
    EXPECT_TRUE(claim_.let_go());
    EXPECT_THAT(names(), ElementsAre(hidden));
    EXPECT_TRUE(claim_.give_back());
    EXPECT_EQ(inode_of(lock_), inode);
}

TEST_P(NameClaimTest, what_is_removed_under_its_hidden_name_leaves_nothing_behind) {
    ASSERT_TRUE(claim_it());
    fs::remove(folder_.path() / hidden);
    EXPECT_EQ(claim_.give_back().error().code, ErrorCode::not_found);
    EXPECT_THAT(names(), IsEmpty());
}

// However far it had come when it was interrupted.

TEST_P(NameClaimTest, nothing_is_underway_before_and_afterwards) {
    EXPECT_EQ(claim_.is_underway(), false);
    ASSERT_TRUE(claim_it());
    EXPECT_EQ(claim_.is_underway(), true);
    ASSERT_TRUE(claim_.let_go());
    EXPECT_EQ(claim_.is_underway(), true) << "it is still there";
    fs::remove(folder_.path() / hidden);
    EXPECT_EQ(claim_.is_underway(), false);
}

TEST_P(NameClaimTest, it_is_undone_before_it_was_claimed) {
    const auto inode = inode_of(lock_);
    ASSERT_TRUE(claim_it());
    exchange_with(hidden);
    ASSERT_TRUE(claim_.undo());
    EXPECT_EQ(inode_of(lock_), inode);
    EXPECT_THAT(names(), ElementsAre("x.lock"));
}

TEST_P(NameClaimTest, it_is_undone_when_it_was_claimed) {
    const auto inode = inode_of(lock_);
    ASSERT_TRUE(claim_it());
    ASSERT_TRUE(claim_.undo());
    EXPECT_EQ(inode_of(lock_), inode);
    EXPECT_THAT(names(), ElementsAre("x.lock"));
}

TEST_P(NameClaimTest, it_is_undone_when_its_name_was_free) {
    const auto inode = inode_of(lock_);
    ASSERT_TRUE(claim_it());
    ASSERT_TRUE(claim_.let_go());
    ASSERT_TRUE(claim_.undo());
    EXPECT_EQ(inode_of(lock_), inode);
    EXPECT_THAT(names(), ElementsAre("x.lock"));
}

TEST_P(NameClaimTest, it_is_undone_when_it_is_no_longer_there) {
    ASSERT_TRUE(claim_it());
    fs::remove(folder_.path() / hidden);
    EXPECT_EQ(claim_.is_underway(), true);
    ASSERT_TRUE(claim_.undo());
    EXPECT_THAT(names(), IsEmpty());
}

/// In which a folder lets go of the name. Directories need none.
class FreeingFolderTest : public NameClaimTest {
protected:
    void SetUp() override {
        ASSERT_TRUE(claim_it());
        fs::create_directory(folder_.path() / folder_to_free_it);
    }
    void expect_the_first() const {
        ASSERT_TRUE(claim_.undo());
        EXPECT_EQ(inode_of(lock_), first_);
        EXPECT_THAT(names(), ElementsAre("x.lock"));
    }

    const ino_t first_{inode_of(lock_)};
};

INSTANTIATE_TEST_SUITE_P(of, FreeingFolderTest, testing::Values(FileType::regular, FileType::link));

TEST_P(FreeingFolderTest, is_removed_where_it_was_only_made) {
    expect_the_first();
}

TEST_P(FreeingFolderTest, is_removed_from_the_name) {
    exchange_with(folder_to_free_it);
    expect_the_first();
}

TEST_P(FreeingFolderTest, has_been_removed_from_the_name) {
    exchange_with(folder_to_free_it);
    fs::remove(lock_);
    expect_the_first();
}

TEST_P(FreeingFolderTest, gives_another_his_lock_back) {
    const auto anothers = take_over();
    exchange_with(folder_to_free_it);
    EXPECT_EQ(claim_.undo().error().code, ErrorCode::busy);
    EXPECT_EQ(inode_of(lock_), anothers);
    EXPECT_THAT(names(), UnorderedElementsAre("x.lock", hidden));
}

// In earnest: two threads that want it, and one that claims it.

/// Takes a lock over from the dead, at whatever moment.
class Successor {
public:
    Successor(FileType type, fs::path lock) : type_{type}, lock_{std::move(lock)} {}

    /// The inode of his own.
    ino_t take_over(bool by_rename) const {
        const fs::path own{lock_.string() + ".own"};
        while (true) {
            if (by_rename && type_ != FileType::directory) {
                EXPECT_TRUE(take(type_, own));
                const auto inode = inode_of(own);
                while (::rename(own.c_str(), lock_.c_str()) != 0) {
                    EXPECT_EQ(errno, EISDIR) << "while a folder lets the name go";
                }
                return inode;
            }
            let_go(type_, lock_);
            if (take(type_, lock_)) {
                return his_own();
            }
        }
    }

private:
    /// And not that of what stands in for it for a moment.
    [[nodiscard]] ino_t his_own() const {
        while (true) {
            const auto inode = inode_of(lock_);
            std::error_code none;
            const bool is_his = type_ == FileType::link        ? fs::read_symlink(lock_, none) == target
                                : type_ == FileType::directory ? fs::is_directory(lock_, none)
                                                               : fs::is_regular_file(lock_, none);
            if (is_his && inode == inode_of(lock_)) {
                return inode;
            }
        }
    }

    FileType type_;
    fs::path lock_;
};

TEST_P(NameClaimTest, one_lock_never_has_two_owners) {
    constexpr int rounds = 2000;
    std::atomic<bool> is_owned;
    std::atomic<bool> is_over;
    std::atomic<ino_t> owned;
    std::atomic<int>
        late; // so that the successor comes before the claim as often as afterwards, in nanoseconds
    int intruders = 0;
    int lost = 0;
    int taken_over = 0;
    std::barrier turn{3};

    std::jthread successor{[&] {
        for (int round = 0; round < rounds; ++round) {
            turn.arrive_and_wait();
            const auto moment =
                std::chrono::steady_clock::now() + std::chrono::nanoseconds{late + (round * 377 % 20'000)};
            while (std::chrono::steady_clock::now() < moment) {
            }
            owned = Successor{type_, lock_}.take_over(round % 2 == 0);
            is_owned = true;
            turn.arrive_and_wait();
            turn.arrive_and_wait();
        }
    }};
    std::jthread intruder{[&] {
        for (int round = 0; round < rounds; ++round) {
            turn.arrive_and_wait();
            while (!is_over) {
                const bool was_owned = is_owned;
                if (was_owned && take(type_, lock_)) {
                    ++intruders;
                }
            }
            turn.arrive_and_wait();
            turn.arrive_and_wait();
        }
    }};
    for (int round = 0; round < rounds; ++round) {
        const auto judged = status();
        is_owned = is_over = false;
        turn.arrive_and_wait();
        if (claim_.take(judged)) {
            const auto claimed = entry_at(place_, hidden);
            const bool is_it = claimed && claimed->status.id == judged.id;
            taken_over += is_it ? 0 : 1;
            late = std::clamp(is_it ? late - (late / 8) : late + (late / 8) + 500, 0, 50'000'000);
            const auto done = is_it ? claim_.let_go() : claim_.give_back();
            EXPECT_TRUE(done) << done.error().message;
            fs::remove(folder_.path() / hidden);
        }
        while (!is_owned) {
            std::this_thread::yield();
        }
        is_over = true;
        turn.arrive_and_wait();
        lost += inode_of(lock_) == owned ? 0 : 1;
        EXPECT_THAT(names(), ElementsAre("x.lock"));
        turn.arrive_and_wait();
    }
    EXPECT_EQ(lost, 0);
    EXPECT_EQ(intruders, 0);
    EXPECT_GT(taken_over, rounds / 10) << "or nobody was ever in between";
    EXPECT_LT(taken_over, rounds - (rounds / 10));
}

} // namespace
} // namespace egb::host
