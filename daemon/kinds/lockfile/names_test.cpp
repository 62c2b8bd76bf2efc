// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/names.hpp"

#include "kinds/lockfile/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace egb::lockfile {
namespace {

/// As the kernel looks for the longest: a whole pattern that the end of the name, backwards, begins with.
std::uint32_t kernel_says(const Names& names, std::string_view name) {
    const auto patterns = names.for_kernel();
    std::string tail{name.rbegin(), name.rend()};
    tail += '/';
    int best = -1;
    std::uint32_t value = EGB_LOCK_UNWANTED;
    for (std::size_t at = 0; at < patterns.keys.size(); ++at) {
        const egb_lock_pattern& key = patterns.keys[at];
        const auto bits = static_cast<int>(key.bits);
        if (bits > best && tail.starts_with(std::string_view{key.tail, key.bits / 8})) {
            best = bits;
            value = patterns.values[at];
        }
    }
    return value;
}

OptionValues defaults() {
    return OptionValues{options, known_names};
}

Names default_names() {
    return Names{globs_of(defaults())};
}

std::vector<std::string> words_of(std::string_view list) {
    return defaults().words(list);
}

std::vector<std::string> without(std::vector<std::string> words, const std::string& word) {
    std::erase(words, word);
    return words;
}

std::string path_by(std::string glob) {
    std::ranges::replace(glob, '*', 'x');
    return glob.starts_with('/') ? glob : "/" + glob;
}

/// Each line of each list: what it is there for, and that no other line would do.
class DataFileTest : public testing::TestWithParam<std::string> {
protected:
    /// Under patterns that take it for a lock, as those of the tool of old would.
    static Names names(std::vector<std::string> data) {
        return Names{
            {.patterns = {"*.lock", "*.lck", "*lock*", "*.json", "*.yaml", "*.yml", "*.toml", "*.cmake",
                          "*.lockb", "*.sum", "*.hcl", "*.lockfile", "*.locked", "*.resolved"},
             .data = std::move(data)}};
    }
};

TEST_P(DataFileTest, is_never_a_lock) {
    const auto all = words_of("data-files");
    const auto others = without(all, GetParam());
    const std::string path = "/home/me/project" + path_by(GetParam());
    EXPECT_FALSE(names(all).may_be_lock(path));
    EXPECT_TRUE(names(others).may_be_lock(path));
    if (GetParam().contains('*')) {
        return; // the kernel side knows no globs
    }
    EXPECT_TRUE(names(all).may_be_lock("/home/me/project/my" + GetParam()))
        << "it is the whole name that counts";
    EXPECT_EQ(kernel_says(names(all), GetParam()), static_cast<std::uint32_t>(EGB_LOCK_UNWANTED));
    EXPECT_EQ(kernel_says(names(others), GetParam()), static_cast<std::uint32_t>(EGB_LOCK_WANTED));
}

INSTANTIATE_TEST_SUITE_P(all, DataFileTest, testing::ValuesIn(words_of("data-files")));

class KnownLockTest : public testing::TestWithParam<std::string> {};

TEST_P(KnownLockTest, is_a_lock_whatever_is_in_it) {
    const auto all = words_of("known-locks");
    const std::string path = path_by(GetParam());
    EXPECT_TRUE(Names{{.known = all}}.is_known_lock(path));
    EXPECT_FALSE(Names{{.known = without(all, GetParam())}}.is_known_lock(path));
}

INSTANTIATE_TEST_SUITE_P(all, KnownLockTest, testing::ValuesIn(words_of("known-locks")));

class CopyingProgramTest : public testing::TestWithParam<std::string> {};

TEST_P(CopyingProgramTest, makes_files_for_others) {
    const auto all = words_of("copying-programs");
    const std::string command = GetParam().substr(0, 15);
    EXPECT_TRUE(Names{{.copying = all}}.copies(command));
    EXPECT_FALSE(Names{{.copying = without(all, GetParam())}}.copies(command));
}

INSTANTIATE_TEST_SUITE_P(all, CopyingProgramTest, testing::ValuesIn(words_of("copying-programs")));

class ProtectedFileTest : public testing::TestWithParam<std::string> {};

TEST_P(ProtectedFileTest, is_only_ever_explained) {
    const auto all = words_of("protected-files");
    const std::string path = path_by(GetParam());
    EXPECT_TRUE(Names{{.except = all}}.is_protected(path));
    EXPECT_FALSE(Names{{.except = without(all, GetParam())}}.is_protected(path));
}

INSTANTIATE_TEST_SUITE_P(all, ProtectedFileTest, testing::ValuesIn(words_of("protected-files")));

TEST(KnownNamesTest, without_these_a_list_would_be_none) {
    const Names names = default_names();
    for (const std::string name : {"Cargo.lock", "yarn.lock", "poetry.lock", "Pipfile.lock", "uv.lock",
                                   "Gemfile.lock", "composer.lock", "flake.lock", "mix.lock", "pubspec.lock",
                                   "Podfile.lock", "bun.lock", "deno.lock", "pixi.lock"}) {
        EXPECT_FALSE(names.may_be_lock("/x/" + name)) << name;
    }
    for (const std::string path :
         {"/var/lib/postgresql/17/main/postmaster.pid", "/var/lib/mongodb/mongod.lock",
          "/var/lib/mongodb/WiredTiger.lock", "/run/postgresql/.s.PGSQL.5432.lock", "/etc/.pwd.lock",
          "/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock",
          "/var/lib/rpm/.rpm.lock", "/var/lib/dnf/rpmdb_lock.pid", "/srv/chroot/etc/passwd.lock",
          "/srv/chroot/var/lib/dpkg/lock", "/run/xtables.lock", "/var/lib/krb5kdc/principal.kadm5.lock"}) {
        EXPECT_TRUE(names.is_protected(path)) << path;
    }
    EXPECT_TRUE(names.copies("cp"));
    EXPECT_TRUE(names.copies("qemu-system-x86")) << "qemu-system-x86_64, of which the kernel keeps as much";
    EXPECT_FALSE(names.copies("qemu-system-x8"));
    EXPECT_FALSE(names.copies(""));
}

TEST(LockNamesTest, the_defaults_are_those_of_old_and_lock_directories) {
    const Names names = default_names();
    for (const std::string name : {"a.lock", "a.lck", "LCK.lk", "SingletonLock", "lockdir", "a.lockdir"}) {
        EXPECT_TRUE(names.may_be_lock("/x/" + name)) << name;
        EXPECT_EQ(kernel_says(names, name), static_cast<std::uint32_t>(EGB_LOCK_WANTED)) << name;
    }
    for (const std::string name : {"lock", "a.locked", "a.lock.txt", "MySingletonLock", "block", ".a.swp"}) {
        EXPECT_FALSE(names.may_be_lock("/x/" + name)) << name;
        EXPECT_EQ(kernel_says(names, name), static_cast<std::uint32_t>(EGB_LOCK_UNWANTED)) << name;
    }
}

TEST(LockNamesTest, the_kernel_side_gets_at_least_what_may_be_a_lock) {
    const Names names{
        {.patterns = {"run-*.lock", "*-LOCK?x", "a-name-that-is-longer-than-thirty-two-letters.lock"}}};
    EXPECT_EQ(kernel_says(names, "run-7.lock"), static_cast<std::uint32_t>(EGB_LOCK_WANTED));
    EXPECT_EQ(kernel_says(names, "other.lock"), static_cast<std::uint32_t>(EGB_LOCK_WANTED));
    EXPECT_FALSE(names.may_be_lock("/x/other.lock"));
    EXPECT_EQ(kernel_says(names, "a-name-that-is-longer-than-thirty-two-letters.lock"),
              static_cast<std::uint32_t>(EGB_LOCK_WANTED));
    EXPECT_TRUE(names.may_be_lock("/x/a-name-that-is-longer-than-thirty-two-letters.lock"));
}

TEST(LockNamesTest, what_git_locks_in_its_folders_is_a_lock_whatever_is_in_it) {
    for (const std::string path :
         {"/home/me/x/.git/index.lock", "/home/me/x/.git/modules/y/index.lock", "/srv/x.git/HEAD.lock",
          "/srv/x.git/config.lock", "/srv/x.git/packed-refs.lock", "/srv/x.git/refs/heads/a/b.lock",
          "/srv/x.git/logs/refs/heads/a.lock", "/srv/x.git/reftable/tables.list.lock",
          "/srv/x.git/worktrees/y/index.lock",
          "/srv/x.git/objects/info/commit-graphs/commit-graph-chain.lock",
          "/srv/x.git/objects/pack/multi-pack-index.lock", "/home/me/x/.hg/store/lock",
          "/home/me/x/.bzr/branch/lock"}) {
        EXPECT_TRUE(default_names().is_known_lock(path)) << path;
    }
}

TEST(LockNamesTest, what_lies_in_a_folder_that_is_called_like_a_repository_may_be_anything) {
    for (const std::string path :
         {"/srv/x.git/data.lock", "/srv/x.git/src/flake.lock", "/srv/x.git/src/HEAD.lock",
          "/srv/x.git/data/refs/a.lock", "/srv/x.git/objects/data.lock", "/srv/x.git.lock",
          "/srv/git/index.lock", "/srv/x/index.lock"}) {
        EXPECT_FALSE(default_names().is_known_lock(path)) << path;
    }
}

TEST(LockNamesTest, an_administrator_adds_to_the_lists) {
    const Names names{{.patterns = {"*.lock"}, .data = {"notes.lock", "*-data.lock"}, .except = {"/srv/*"}}};
    EXPECT_FALSE(names.may_be_lock("/x/notes.lock"));
    EXPECT_FALSE(names.may_be_lock("/x/my-data.lock"));
    EXPECT_TRUE(names.may_be_lock("/x/my.lock"));
    EXPECT_TRUE(names.is_protected("/srv/deep/down/my.lock"));
    EXPECT_FALSE(names.is_protected("/opt/my.lock"));
}

TEST(NamesTest, everything_is_in_bounds_until_only_some_are) {
    const std::string path = "/srv/deep/down/my.lock";
    EXPECT_TRUE(default_names().is_in_bounds(path));
    EXPECT_TRUE((Names{{.only = {"/opt/*", "/srv/*.lock"}}}.is_in_bounds(path)));
    EXPECT_FALSE((Names{{.only = {"/opt/*"}}}.is_in_bounds(path)));
}

TEST(LockNamesTest, a_word_that_cannot_be_meant_is_refused) {
    EXPECT_TRUE(Names::check_name("*.lock"));
    EXPECT_FALSE(Names::check_name("/tmp/*.lock"));
    EXPECT_FALSE(Names::check_name("lock*"));
    EXPECT_TRUE(Names::check_path("/tmp/*.lock"));
    EXPECT_TRUE(Names::check_path("*/state.lock"));
    EXPECT_FALSE(Names::check_path("state.lock"));
    EXPECT_TRUE(Names::check_known_lock("*/.git/*.lock"));
    for (const std::string word : {"*.lock", "/*.lock", "*/x.lock", "x.git/HEAD.lock"}) {
        EXPECT_FALSE(Names::check_known_lock(word)) << word;
    }
    EXPECT_TRUE(Names::check_program("ganesha.nfsd"));
    EXPECT_FALSE(Names::check_program("/usr/bin/cp"));
    EXPECT_FALSE(Names::check_program("qemu-*"));
}

} // namespace
} // namespace egb::lockfile
