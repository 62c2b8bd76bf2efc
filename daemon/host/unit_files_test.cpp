// SPDX-License-Identifier: Apache-2.0
#include "host/unit_files.hpp"

#include "core/format.hpp"
#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace egb::host {

namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

constexpr std::string_view etc{"etc/systemd/system"};
constexpr std::string_view run{"run/systemd/system"};
constexpr std::string_view usr{"usr/lib/systemd/system"};

std::string saying(std::string_view value) {
    return formatted("[X-Ours]\nWord={}\n", value);
}

class UnitFilesTest : public testing::Test {
protected:
    void write(std::string_view folder, std::string_view name, std::string_view text) {
        root_.write(fs::path{folder} / name, text);
    }

    void link(std::string_view folder, std::string_view name, const fs::path& target) {
        const auto path = root_.path() / folder / name;
        fs::create_directories(path.parent_path());
        fs::create_symlink(target, path);
    }

    Result<std::vector<UnitAssignment>> read(std::string_view unit = "foo.service") {
        const auto files = UnitFiles::list(root_.path());
        return files ? files->section(unit, "X-Ours") : std::unexpected(files.error());
    }

    /// The values, in the order in which they count.
    std::vector<std::string> words(std::string_view unit = "foo.service") {
        const auto assignments = read(unit);
        if (!assignments) {
            return {"failed: " + assignments.error().message};
        }
        std::vector<std::string> values;
        for (const auto& assignment : *assignments) {
            values.push_back(assignment.value);
        }
        return values;
    }

    test::TempFolder root_;
};

TEST_F(UnitFilesTest, SayNothingOfAUnitThatHasNone) {
    EXPECT_THAT(words(), IsEmpty());
    EXPECT_THAT(words(""), IsEmpty());
    EXPECT_THAT(words("no unit"), IsEmpty());
    write(usr, "bar.service", saying("bar"));
    EXPECT_THAT(words(), IsEmpty());
}

TEST_F(UnitFilesTest, SayWhatStandsInTheSection) {
    write(etc, "foo.service",
          "[Unit]\nWord=unit\n\n[X-Ours]\nWord = some words \nOther=1\n[Service]\nWord=service\n");
    const auto assignments = read();
    ASSERT_TRUE(assignments) << assignments.error().message;
    ASSERT_EQ(assignments->size(), 2);
    EXPECT_EQ((*assignments)[0].name, "Word");
    EXPECT_EQ((*assignments)[0].value, "some words");
    EXPECT_EQ((*assignments)[0].file, root_.path() / etc / "foo.service");
    EXPECT_EQ((*assignments)[1].name, "Other");
}

TEST_F(UnitFilesTest, AreReadFromEveryFolderThatSystemdReads) {
    // From the least important one on, so that each hides what was there before.
    for (const auto* const folder :
         {"run/systemd/generator.late", "lib/systemd/system", "usr/lib/systemd/system",
          "usr/local/lib/systemd/system", "run/systemd/generator", "run/systemd/system.attached",
          "run/systemd/system", "etc/systemd/system.attached", "etc/systemd/system",
          "run/systemd/generator.early", "run/systemd/transient", "run/systemd/system.control",
          "etc/systemd/system.control"}) {
        write(folder, "foo.service", saying(folder));
        EXPECT_THAT(words(), ElementsAre(folder));
    }
}

TEST_F(UnitFilesTest, AreTheSameByEitherNameOfAFolder) {
    write(usr, "foo.service", saying("fragment"));
    write(usr, "foo.service.d/a.conf", saying("drop-in"));
    fs::create_directory_symlink("usr/lib", root_.path() / "lib");
    EXPECT_THAT(words(), ElementsAre("fragment", "drop-in"));
}

TEST_F(UnitFilesTest, GoOnWithDropInsInTheOrderOfTheirNames) {
    write(usr, "foo.service", saying("fragment"));
    write(usr, "foo.service.d/20-b.conf", saying("20"));
    write(etc, "foo.service.d/10-a.conf", saying("10"));
    write(run, "foo.service.d/30-c.conf", saying("30"));
    write(run, "foo.service.d/.hidden.conf", saying("hidden"));
    write(run, "foo.service.d/40-d.conf~", saying("old"));
    EXPECT_THAT(words(), ElementsAre("fragment", "10", "20", "30"));
}

TEST_F(UnitFilesTest, HideThoseOfTheSameNameInLessImportantFolders) {
    write(usr, "foo.service.d/a.conf", saying("usr"));
    write(run, "foo.service.d/a.conf", saying("run"));
    EXPECT_THAT(words(), ElementsAre("run"));
    write(etc, "foo.service.d/a.conf", "");
    EXPECT_THAT(words(), IsEmpty());
}

TEST_F(UnitFilesTest, AreMaskedByALinkToNowhere) {
    write(usr, "foo.service", saying("fragment"));
    write(usr, "foo.service.d/a.conf", saying("a"));
    write(usr, "foo.service.d/b.conf", saying("b"));
    link(etc, "foo.service", "/dev/null");
    link(etc, "foo.service.d/b.conf", "/dev/null");
    EXPECT_THAT(words(), ElementsAre("a"));
}

TEST_F(UnitFilesTest, AreThoseOfTheTemplateForItsInstances) {
    write(usr, "foo@.service", saying("template"));
    write(usr, "foo@.service.d/b.conf", saying("template's drop-in"));
    write(usr, "foo@a.service.d/a.conf", saying("instance's drop-in"));
    EXPECT_THAT(words("foo@a.service"), ElementsAre("template", "instance's drop-in", "template's drop-in"));
    EXPECT_THAT(words("foo@b.service"), ElementsAre("template", "template's drop-in"));
    write(usr, "foo@a.service", saying("instance"));
    EXPECT_THAT(words("foo@a.service"), ElementsAre("instance", "instance's drop-in", "template's drop-in"));
    EXPECT_THAT(words("foo.service"), IsEmpty());
}

TEST_F(UnitFilesTest, AreThoseOfThePrefixAndOfTheTypeToo) {
    write(etc, "docker-.scope.d/a.conf", saying("prefix"));
    write(etc, "scope.d/b.conf", saying("type"));
    EXPECT_THAT(words("docker-0123.scope"), ElementsAre("prefix", "type"));
    EXPECT_THAT(words("docker-0123.service"), IsEmpty());
    // The more special folder of a directory hides the more general one, and the type comes last of all.
    write(etc, "docker-0123.scope.d/a.conf", saying("own"));
    write(usr, "docker-0123.scope.d/b.conf", saying("own in usr"));
    EXPECT_THAT(words("docker-0123.scope"), ElementsAre("own", "own in usr"));
    // But directories go before prefixes.
    write(usr, "docker-0123.scope.d/c.conf", saying("own in usr"));
    write(etc, "docker-.scope.d/c.conf", saying("prefix in etc"));
    EXPECT_THAT(words("docker-0123.scope"), ElementsAre("own", "own in usr", "prefix in etc"));
}

TEST_F(UnitFilesTest, AreThoseOfOtherNamesOfTheUnit) {
    write(usr, "mariadb.service", saying("fragment"));
    link(etc, "mysql.service", "/usr/lib/systemd/system/mariadb.service");
    link(usr, "mysqld.service", "mysql.service");
    write(etc, "mysql.service.d/a.conf", saying("alias"));
    write(etc, "mysqld.service.d/b.conf", saying("alias of an alias"));
    EXPECT_THAT(words("mariadb.service"), ElementsAre("fragment", "alias", "alias of an alias"));
    EXPECT_THAT(words("mysql.service"), ElementsAre("fragment", "alias", "alias of an alias"));
}

TEST_F(UnitFilesTest, AreThoseOfOtherNamesOfTheTemplate) {
    write(usr, "getty@.service", saying("fragment"));
    link(usr, "autovt@.service", "getty@.service");
    link(etc, "console@tty1.service", "../../../usr/lib/systemd/system/getty@.service");
    write(etc, "autovt@.service.d/a.conf", saying("any"));
    write(etc, "autovt@tty2.service.d/b.conf", saying("tty2"));
    write(etc, "console@tty1.service.d/c.conf", saying("tty1"));
    EXPECT_THAT(words("getty@tty1.service"), ElementsAre("fragment", "any", "tty1"));
    EXPECT_THAT(words("getty@tty2.service"), ElementsAre("fragment", "any", "tty2"));
    EXPECT_THAT(words("console@tty1.service"), ElementsAre("fragment", "any", "tty1"));
    // An instance with a file of its own is no longer the template's.
    write(etc, "getty@tty2.service", saying("own"));
    EXPECT_THAT(words("getty@tty2.service"), ElementsAre("own"));
    write(etc, "autovt@tty3.service", saying("own"));
    write(etc, "autovt@tty3.service.d/a.conf", saying("not getty's"));
    EXPECT_THAT(words("getty@tty3.service"), ElementsAre("fragment"));
}

TEST_F(UnitFilesTest, AreNotThoseOfAUnitThatALinkDoesNotLeadTo) {
    write(usr, "bar.service", saying("bar"));
    write("opt", "bar.service", saying("linked"));
    link(etc, "foo.service", "../../../opt/bar.service");
    EXPECT_THAT(words(), ElementsAre("linked"));
    EXPECT_THAT(words("bar.service"), ElementsAre("bar"));
    // Of another type, and no alias any more because a file has its place.
    link(usr, "bar.socket", "bar.service");
    write(usr, "bar.socket.d/a.conf", saying("socket"));
    link(usr, "old.service", "bar.service");
    write(etc, "old.service", saying("old"));
    write(etc, "old.service.d/a.conf", saying("old"));
    EXPECT_THAT(words("bar.service"), ElementsAre("bar"));
}

TEST_F(UnitFilesTest, MayLeadInCircles) {
    link(etc, "foo.service", "bar.service");
    link(etc, "bar.service", "foo.service");
    EXPECT_THAT(words(), ElementsAre(EndsWith("foo.service: Too many levels of symbolic links")));
}

struct Text {
    std::string text;
    std::vector<std::string> words;
};

void PrintTo(const Text& text, std::ostream* out) {
    *out << testing::PrintToString(text.text);
}

class UnitText : public UnitFilesTest, public testing::WithParamInterface<Text> {};

TEST_P(UnitText, IsReadAsSystemdReadsIt) {
    write(etc, "foo.service", GetParam().text);
    EXPECT_EQ(words(), GetParam().words);
}

using namespace std::string_literals;

INSTANTIATE_TEST_SUITE_P(
    Syntax, UnitText,
    testing::Values(
        Text{"", {}}, Text{"[X-Ours]", {}}, Text{"[X-Ours]\nWord=", {""}}, Text{"[X-Ours]\nWord=a", {"a"}},
        Text{"\xEF\xBB\xBF[X-Ours]\nWord=a\n", {"a"}}, Text{"  [X-Ours]  \n\tWord\t=\ta b\t\n", {"a b"}},
        Text{"[X-Ours]\r\nWord=a\r\nWord=b\r\n", {"a", "b"}}, Text{"[X-Ours]\rWord=a\0Word=b"s, {"a", "b"}},
        Text{"[X-Ours]\n# Word=a\n ; Word=b\nWord=c # d\n", {"c # d"}},
        Text{"[X-Ours]\nWord=a \\\n# between\n  b\nWord=c", {"a    b", "c"}},
        Text{"[X-Ours]\nWord=a\\\\\nWord=b", {R"(a\\)", "b"}}, Text{"[X-Ours]\nWord=a\\\r\nb\n", {"a b"}},
        Text{"[X-Ours]\nWord=a\\", {"a"}}, Text{"[Unit]\nDescription=\\\n[X-Ours]\nWord=a\n", {}},
        Text{"[X-Ours]\nWord=a\n[x-ours]\nWord=b\n[X-Ours ]\nWord=c\n[X-Ours]\nWord=d\n", {"a", "d"}},
        Text{"Word=a\n[Unit]\nnonsense\n=\n\xff\xfe\n[X-Ours]\nWord=\xff\n", {"\xff"}}));

TEST_F(UnitFilesTest, AreRefusedWhereTheirMeaningIsInDoubt) {
    const std::string before{"failed: " + (root_.path() / etc / "foo.service").string() +
                             ": a line of it makes no sense: "};
    write(etc, "foo.service", "[X-Ours]\nWord\n");
    EXPECT_THAT(words(), ElementsAre(before + "Word"));
    write(etc, "foo.service", "[Unit\nA=b\n[X-Ours]\nWord=no\n");
    EXPECT_THAT(words(), ElementsAre(before + "[Unit"));
    write(etc, "foo.service", "[X-Ours]\n\x1b[31m" + std::string(100, 'x'));
    EXPECT_THAT(words(), ElementsAre(before + R"(\x1b[31m)" + std::string(55, 'x')));
}

TEST_F(UnitFilesTest, FailWhereTheyCannotBeRead) {
    write(usr, "foo.service", saying("usr"));
    const auto drop_in = root_.path() / etc / "foo.service.d/a.conf";
    fs::create_directories(drop_in);
    EXPECT_THAT(words(), ElementsAre(EndsWith("foo.service.d/a.conf: it is not a file")));
    fs::remove(drop_in);
    ASSERT_EQ(::mkfifo(drop_in.c_str(), 0600), 0);
    EXPECT_THAT(words(), ElementsAre(EndsWith("foo.service.d/a.conf: it is not a file")));
    fs::remove(drop_in);
    fs::create_symlink("nowhere", drop_in);
    EXPECT_THAT(words(), ElementsAre(EndsWith("foo.service.d/a.conf: No such file or directory")));
    fs::remove(drop_in);
    write(etc, "foo.service.d/a.conf", saying(std::string(1'100'000, 'x')));
    EXPECT_THAT(words(), ElementsAre(EndsWith("foo.service.d/a.conf: it has more than 1048576 bytes")));
}

TEST_F(UnitFilesTest, AreWhatTheyWereWhenTheFoldersWereListed) {
    const auto files = UnitFiles::list(root_.path());
    write(etc, "foo.service", saying("late"));
    ASSERT_TRUE(files);
    EXPECT_TRUE(files->section("foo.service", "X-Ours").value().empty());
    EXPECT_THAT(words(), ElementsAre("late"));
}

TEST_F(UnitFilesTest, IgnoreWhatIsNoFolder) {
    root_.write("run/systemd/system", "a file");
    root_.write(fs::path{etc} / "foo.service.d", "a file");
    write(usr, "foo.service", saying("usr"));
    EXPECT_THAT(words(), ElementsAre("usr"));
}

} // namespace

} // namespace egb::host
