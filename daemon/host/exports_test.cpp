// SPDX-License-Identifier: Apache-2.0
#include "host/exports.hpp"

#include "core/format.hpp"
#include "harness/mount_space.hpp"
#include "harness/temp_folder.hpp"
#include "host/mount_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace egb::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

/// As exportfs writes it behind each folder.
constexpr std::string_view to_whom =
    "\t192.0.2.0/24(rw,sync,wdelay,hide,nocrossmnt,secure,root_squash,no_all_squash,no_subtree_check,"
    "secure_locks,acl,no_pnfs,anonuid=65534,anongid=65534,sec=sys,rw,secure,root_squash,no_all_squash)\n";

TEST(ExportedFolders, are_read_as_exportfs_writes_them) {
    EXPECT_THAT(exported_folders(formatted("/srv/nfs{0}/srv/a\\040b\\134c\\011d{0}/{0}", to_whom)),
                ElementsAre("/srv/nfs", "/srv/a b\\c\td", "/"));
    EXPECT_THAT(exported_folders(""), IsEmpty());
    EXPECT_THAT(exported_folders("\n# nothing\n"), IsEmpty());
}

class ExportsTest : public testing::Test {
protected:
    void export_folders(std::initializer_list<fs::path> folders) const {
        std::string table;
        for (const fs::path& folder : folders) {
            table += formatted("{}{}", folder.string(), to_whom);
        }
        folder_.write("etab", table);
    }

    [[nodiscard]] bool is_exported(const fs::path& path, std::uint64_t mount_namespace = 0) {
        const auto sight = files_.look({.mount_namespace = mount_namespace, .path = path});
        EXPECT_TRUE(sight) << sight.error().message;
        return files_.is_exported(*sight).value();
    }

    const test::TempFolder folder_{"/dev/shm"}; // the machine has it, too
    const fs::path served_{folder_.path() / "served"};
    const fs::path inside_{folder_.write("served/deep/x.lock", "")};
    const fs::path beside_{folder_.write("served-not/x.lock", "")};
    const ProcFs procfs_{"/proc"};
    MountFiles files_{procfs_, {.state = folder_.path(), .settings = {folder_.path() / "nfs.conf"}}};
};

TEST_F(ExportsTest, without_a_table_nothing_is_served) {
    EXPECT_FALSE(is_exported(inside_));
    export_folders({});
    EXPECT_FALSE(is_exported(inside_));
}

TEST_F(ExportsTest, what_is_below_a_folder_is_served_with_it) {
    export_folders({served_});
    EXPECT_TRUE(is_exported(inside_));
    EXPECT_FALSE(is_exported(beside_));
    export_folders({served_ / "deep"});
    EXPECT_TRUE(is_exported(inside_));
    export_folders({folder_.path() / "served-not"});
    EXPECT_FALSE(is_exported(inside_)) << "the table is read again";
    EXPECT_TRUE(is_exported(beside_));
    fs::remove(folder_.path() / "etab");
    EXPECT_FALSE(is_exported(beside_));
}

TEST_F(ExportsTest, a_folder_may_be_named_by_a_link) {
    fs::create_directory_symlink("served", folder_.path() / "link");
    export_folders({folder_.path() / "link"});
    EXPECT_TRUE(is_exported(inside_));
    EXPECT_TRUE(is_exported(folder_.path() / "link/deep/x.lock"));
}

TEST_F(ExportsTest, a_folder_that_comes_later_is_served_then) {
    const auto later = folder_.path() / "later";
    export_folders({later, served_});
    EXPECT_TRUE(is_exported(inside_)) << "one that is missing hides no other";
    EXPECT_FALSE(is_exported(beside_));
    EXPECT_TRUE(is_exported(folder_.write("later/x.lock", "")));
}

TEST_F(ExportsTest, a_file_is_the_same_by_another_path_of_another_mount_namespace) {
    export_folders({served_});
    const auto elsewhere = folder_.path() / "served-not";
    const test::MountSpace space{elsewhere, served_ / "deep"};
    EXPECT_TRUE(is_exported(elsewhere / "x.lock", space.inode()));
    EXPECT_FALSE(is_exported(beside_));
}

TEST_F(ExportsTest, the_table_may_be_elsewhere) {
    export_folders({folder_.path() / "served-not"});
    folder_.write("state/etab", formatted("{}{}", served_.string(), to_whom));
    folder_.write("nfs.conf.d/old.conf/local.conf", "");
    EXPECT_FALSE(is_exported(inside_));
    folder_.write("nfs.conf.d/local.conf",
                  formatted("[exportd]\nstate-directory-path={}/state\n", folder_.path().string()));
    EXPECT_TRUE(is_exported(inside_));
    EXPECT_TRUE(is_exported(beside_));
}

TEST_F(ExportsTest, the_folders_in_it_may_begin_elsewhere) {
    export_folders({"/deep"});
    EXPECT_FALSE(is_exported(inside_));
    folder_.write("nfs.conf", formatted("[exports]\nrootdir={}\n", served_.string()));
    EXPECT_TRUE(is_exported(inside_));
    EXPECT_FALSE(is_exported(beside_));
}

TEST_F(ExportsTest, what_is_included_counts) {
    export_folders({"/deep"});
    folder_.write("nfs.conf", "include = more\n[exports]\ninclude = -more\n");
    EXPECT_FALSE(is_exported(inside_));
    folder_.write("more", formatted("rootdir={}\n", served_.string()));
    EXPECT_TRUE(is_exported(inside_));
}

TEST_F(ExportsTest, what_includes_itself_is_not_read_for_ever) {
    folder_.write("nfs.conf", "include = nfs.conf\n");
    EXPECT_FALSE(files_.is_exported(*files_.look({.mount_namespace = 0, .path = beside_})));
}

TEST_F(ExportsTest, settings_that_cannot_be_read_are_not_taken_for_none) {
    folder_.write("nfs.conf.d", "no folder");
    EXPECT_FALSE(files_.is_exported(*files_.look({.mount_namespace = 0, .path = beside_})));
}

TEST_F(ExportsTest, a_table_that_cannot_be_read_is_not_taken_for_none) {
    fs::create_directory(folder_.path() / "etab");
    const auto sight = files_.look({.mount_namespace = 0, .path = beside_});
    EXPECT_FALSE(files_.is_exported(*sight));
    fs::remove(folder_.path() / "etab");
    EXPECT_FALSE(is_exported(beside_));
}

} // namespace
} // namespace egb::host
