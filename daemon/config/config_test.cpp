// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"

#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace egb::config {

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::array<std::string_view, 3> clean_choices{"never", "proven", "suspected"};

Result<> check_no_slash(std::string_view word) {
    return word.contains('/') ? fail(ErrorCode::invalid, "{} has a slash", word) : Result<>{};
}

Schema test_schema() {
    return {
        {.name = "governor",
         .options = {{.name = "Protect", .type = OptionType::list, .preset = "init.scope sshd*", .help = ""},
                     {.name = "ActsPerMinute",
                      .type = OptionType::count,
                      .preset = "60",
                      .help = "",
                      .least = 1,
                      .most = 100}}},
        {.name = "tcp",
         .options =
             {{.name = "Enabled", .type = OptionType::flag, .preset = "yes", .help = ""},
              {.name = "Clean",
               .type = OptionType::choice,
               .preset = "proven",
               .help = "",
               .choices = clean_choices},
              {.name = "CloseWaitAfter", .type = OptionType::span, .preset = "1min", .help = ""},
              {.name = "Except", .type = OptionType::list, .preset = "", .help = "", .check = check_no_slash},
              {.name = "Note", .type = OptionType::text, .preset = "none", .help = ""}},
         .lists = {{.name = "ports", .text = "# of old\n22\n", .check = check_no_slash}}}};
}

class ConfigTest : public testing::Test {
protected:
    const Schema schema_{test_schema()};
    Config config_{schema_};
};

TEST_F(ConfigTest, BeginsWithTheDefaults) {
    EXPECT_TRUE(config_.section("tcp").flag("Enabled"));
    EXPECT_EQ(config_.section("tcp").span("CloseWaitAfter"), 1min);
    EXPECT_THAT(config_.section("governor").list("Protect"), ElementsAre("init.scope", "sshd*"));
    EXPECT_THROW((void)config_.section("udp"), std::out_of_range);
}

TEST_F(ConfigTest, SetGivesAValueWhateverItHad) {
    ASSERT_TRUE(config_.set("tcp", "Clean", "never"));
    ASSERT_TRUE(config_.set("governor", "Protect", "a b"));
    ASSERT_TRUE(config_.set("governor", "Protect", "c"));
    EXPECT_EQ(config_.section("tcp").text("Clean"), "never");
    EXPECT_THAT(config_.section("governor").list("Protect"), ElementsAre("c"));
    EXPECT_NE(config_, Config{schema_});
}

TEST_F(ConfigTest, AssignAddsToLists) {
    ASSERT_TRUE(config_.assign("governor", "Protect", "a 'b c'"));
    ASSERT_TRUE(config_.assign("governor", "Protect", R"("d\"e")"));
    EXPECT_THAT(config_.section("governor").list("Protect"),
                ElementsAre("init.scope", "sshd*", "a", "b c", "d\"e"));
    ASSERT_TRUE(config_.assign("governor", "Protect", ""));
    EXPECT_THAT(config_.section("governor").list("Protect"), ElementsAre());
    ASSERT_TRUE(config_.assign("governor", "Protect", "f"));
    EXPECT_THAT(config_.section("governor").list("Protect"), ElementsAre("f"));
}

TEST_F(ConfigTest, AssignReplacesEverythingElse) {
    ASSERT_TRUE(config_.assign("tcp", "CloseWaitAfter", "5min"));
    ASSERT_TRUE(config_.assign("tcp", "CloseWaitAfter", "2h"));
    EXPECT_EQ(config_.section("tcp").span("CloseWaitAfter"), 2h);
}

TEST_F(ConfigTest, AnEmptyTextIsTheDefault) {
    for (const auto* const name : {"Enabled", "Clean", "CloseWaitAfter", "Note"}) {
        ASSERT_TRUE(config_.set("tcp", name, name == std::string_view{"CloseWaitAfter"} ? "2h" : "never") ||
                    config_.set("tcp", name, "no"));
        EXPECT_NE(config_, Config{schema_}) << name;
        ASSERT_TRUE(config_.set("tcp", name, ""));
        EXPECT_EQ(config_, Config{schema_}) << name;
    }
}

TEST_F(ConfigTest, AFailureChangesNothing) {
    EXPECT_FALSE(config_.set("tcp", "Clean", "always"));
    EXPECT_FALSE(config_.assign("governor", "Protect", "'open"));
    EXPECT_FALSE(config_.set("governor", "ActsPerMinute", "101"));
    EXPECT_EQ(config_, Config{schema_});
}

TEST_F(ConfigTest, AWrongNameIsToldWithTheOneThatWasMeant) {
    EXPECT_EQ(config_.set("tpc", "Clean", "never").error(),
              (Error{ErrorCode::not_found, "no section [tpc]; did you mean tcp?"}));
    EXPECT_EQ(config_.set("tcp", "clean", "never").error(),
              (Error{ErrorCode::not_found, "no option clean= in [tcp]; did you mean Clean?"}));
    EXPECT_EQ(
        config_.assign("governor", "Clean", "never").error(),
        (Error{ErrorCode::not_found, "no option Clean= in [governor]; there are Protect and ActsPerMinute"}));
}

using std::filesystem::perms;
constexpr auto for_everybody =
    perms::owner_all | perms::group_read | perms::group_exec | perms::others_read | perms::others_exec;

/// A machine's configuration in a temporary folder.
class LoadTest : public testing::Test {
protected:
    LoadTest() { std::filesystem::permissions(root_.path(), for_everybody); }

    std::filesystem::path write(const std::filesystem::path& relative, std::string_view text) const {
        return root_.write(relative, text);
    }

    [[nodiscard]] Result<Config> load() const { return config::load(schema_, paths_); }

    [[nodiscard]] std::string refusal() const {
        const auto config = load();
        return config ? "none" : config.error().message;
    }

    [[nodiscard]] std::string note() const {
        const auto config = load();
        return config ? config->section("tcp").text("Note") : "refused: " + config.error().message;
    }

    const Schema schema_{test_schema()};
    const test::TempFolder root_;
    const Paths paths_{Paths::standard(root_.path() / "state", root_.path())};
};

TEST(Paths, AreThoseOfTheSystem) {
    const auto paths = Paths::standard("/var/lib/eghostbuster");
    EXPECT_THAT(paths.directories,
                ElementsAre("/usr/lib/eghostbuster", "/run/eghostbuster", "/etc/eghostbuster"));
    EXPECT_EQ(paths.policy_file, "/var/lib/eghostbuster/policy.conf");
    EXPECT_THAT(paths.lists, ElementsAre("/usr/share/eghostbuster", "/etc/eghostbuster"));
}

TEST_F(LoadTest, NoFilesAreTheDefaults) {
    const auto config = load();
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(*config, Config{schema_});
}

TEST_F(LoadTest, TheMainFileOfEtcStandsInPlaceOfTheOneOfUsr) {
    write("usr/lib/eghostbuster/eghostbuster.conf", "[tcp]\nNote=usr\nClean=never\n");
    EXPECT_EQ(note(), "usr");
    write("etc/eghostbuster/eghostbuster.conf", "[tcp]\nNote=etc\n");
    EXPECT_EQ(note(), "etc");
    EXPECT_EQ(load()->section("tcp").text("Clean"), "proven");
}

TEST_F(LoadTest, DropInsComeAfterTheMainFile) {
    write("etc/eghostbuster/eghostbuster.conf", "[tcp]\nNote=main\n");
    write("usr/lib/eghostbuster/eghostbuster.conf.d/10-vendor.conf", "[tcp]\nNote=vendor\n");
    EXPECT_EQ(note(), "vendor");
}

TEST_F(LoadTest, DropInsAreSortedByNameWhereverTheyAre) {
    write("usr/lib/eghostbuster/eghostbuster.conf.d/30.conf", "[tcp]\nNote=usr 30\n[governor]\nProtect=c\n");
    write("run/eghostbuster/eghostbuster.conf.d/20.conf", "[tcp]\nNote=run 20\n[governor]\nProtect=b\n");
    write("etc/eghostbuster/eghostbuster.conf.d/10.conf",
          "[tcp]\nNote=etc 10\n[governor]\nProtect=\nProtect=a\n");
    EXPECT_EQ(note(), "usr 30");
    EXPECT_THAT(load()->section("governor").list("Protect"), ElementsAre("a", "b", "c"));
}

TEST_F(LoadTest, DropInsMaskOthersOfTheirName) {
    write("usr/lib/eghostbuster/eghostbuster.conf.d/10.conf", "[tcp]\nNote=usr\n");
    EXPECT_EQ(note(), "usr");
    write("run/eghostbuster/eghostbuster.conf.d/10.conf", "[tcp]\nNote=run\n");
    EXPECT_EQ(note(), "run");
    write("etc/eghostbuster/eghostbuster.conf.d/10.conf", "");
    EXPECT_EQ(note(), "none");
}

TEST_F(LoadTest, ALinkToNowhereAtAllMasks) {
    write("usr/lib/eghostbuster/eghostbuster.conf", "[tcp]\nNote=main\n");
    write("usr/lib/eghostbuster/eghostbuster.conf.d/10.conf", "[tcp]\nNote=drop-in\n");
    std::filesystem::create_directories(root_.path() / "etc/eghostbuster/eghostbuster.conf.d");
    std::filesystem::create_symlink("/dev/null",
                                    root_.path() / "etc/eghostbuster/eghostbuster.conf.d/10.conf");
    EXPECT_EQ(note(), "main");
    std::filesystem::create_symlink("/dev/null", root_.path() / "etc/eghostbuster/eghostbuster.conf");
    EXPECT_EQ(note(), "none");
}

TEST_F(LoadTest, WhatIsNoDropInIsLeftAlone) {
    for (const auto* const name : {"README", "10.conf.dpkg-old", "10.conf~", ".10.conf", "conf"}) {
        write(std::filesystem::path{"etc/eghostbuster/eghostbuster.conf.d"} / name, "nonsense");
    }
    EXPECT_EQ(note(), "none");
}

TEST_F(LoadTest, ThePolicyFileHasTheLastWord) {
    write("etc/eghostbuster/eghostbuster.conf.d/zz.conf", "[tcp]\nNote=etc\n");
    write("state/policy.conf", "[tcp]\nNote=policy\n");
    EXPECT_EQ(note(), "policy");
}

TEST_F(LoadTest, AnEmptyValueOverridesAnEarlierFile) {
    write("usr/lib/eghostbuster/eghostbuster.conf.d/10.conf", "[tcp]\nNote=usr\nClean=never\n");
    write("etc/eghostbuster/eghostbuster.conf.d/20.conf", "[tcp]\nNote=\n");
    EXPECT_EQ(note(), "none");
    EXPECT_EQ(load()->section("tcp").text("Clean"), "never");
}

struct Mistake {
    std::string_view text;
    std::string_view message; ///< behind FILE
};

class LoadMistake : public LoadTest, public testing::WithParamInterface<Mistake> {};

TEST_P(LoadMistake, IsRefusedWithFileLineAndReason) {
    const auto file = write("etc/eghostbuster/eghostbuster.conf.d/50.conf", GetParam().text);
    EXPECT_EQ(refusal(), file.string() + std::string{GetParam().message});
}

INSTANTIATE_TEST_SUITE_P(
    Texts, LoadMistake,
    testing::Values(Mistake{"[tcp]\n\nClean=always\n",
                            ":3: Clean: expected one of never, proven, suspected, not \"always\""},
                    Mistake{"[tcp]\r\nEnabled=maybe\r\n", ":2: Enabled: expected yes or no, not \"maybe\""},
                    Mistake{"[governor]\nActsPerMinute=0",
                            ":2: ActsPerMinute: 0 is too small, the least is 1"},
                    Mistake{"[governor]\nActsPerMinute=\\\n\\\n101\n",
                            ":2: ActsPerMinute: 101 is too large, the most is 100"},
                    Mistake{"[governor]\nProtect=a 'b\n", ":2: Protect: a quote is not closed in: a 'b"},
                    Mistake{"[tcp]\nExcept=a b\n\nExcept=c d/e\n", ":4: Except: d/e has a slash"},
                    Mistake{"[tcp]\nCleen=never\n", ":2: no option Cleen= in [tcp]; did you mean Clean?"},
                    Mistake{"\n[Tcp]\n", ":2: no section [Tcp]; did you mean tcp?"},
                    Mistake{"[udp]\n", ":1: no section [udp]; there are governor and tcp"},
                    Mistake{"Clean=never\n", ":1: Clean= stands before any [SECTION]"},
                    Mistake{"[tcp]\nClean\n", ":2: expected NAME=VALUE or [SECTION], not Clean"}));

TEST_F(LoadTest, AWrongSpanIsToldWithWhatWasExpected) {
    const auto file = write("etc/eghostbuster/eghostbuster.conf", "[tcp]\nCloseWaitAfter=soon\n");
    EXPECT_THAT(refusal(), StartsWith(file.string() + ":2: CloseWaitAfter: "));
    EXPECT_THAT(refusal(), HasSubstr("soon"));
}

TEST_F(LoadTest, AMistakeInThePolicyFileIsRefusedToo) {
    const auto file = write("state/policy.conf", "[tcp]\nClean=always\n");
    EXPECT_THAT(refusal(), StartsWith(file.string() + ":2: Clean: "));
}

TEST_F(LoadTest, AListIsWhatIsCompiledInWithWhatItsFilesSay) {
    EXPECT_THAT(load()->section("tcp").words("ports"), ElementsAre("22"));
    EXPECT_THROW((void)load()->section("tcp").words("names"), std::out_of_range);
    write("usr/share/eghostbuster/tcp/ports.list", "# new\n80\n");
    write("etc/eghostbuster/tcp/ports.list", "443\n80\n");
    const auto config = load();
    EXPECT_THAT(config->section("tcp").words("ports"), ElementsAre("22", "80", "443"));
    EXPECT_THAT(config->mistakes(), ElementsAre());
    EXPECT_NE(*config, Config{schema_}) << "a reload has something to put in force";
}

TEST_F(LoadTest, ALineOfAListThatCannotBeMeantIsRefusedAlone) {
    const auto file = write("usr/share/eghostbuster/tcp/ports.list", "80\n\n4/3\n443\n");
    const auto folder = root_.path() / "etc/eghostbuster/tcp/ports.list";
    std::filesystem::create_directories(folder);
    write("etc/eghostbuster/eghostbuster.conf", "[tcp]\nNote=this counts\n");
    const auto config = load();
    EXPECT_EQ(config->section("tcp").text("Note"), "this counts");
    EXPECT_THAT(config->section("tcp").words("ports"), ElementsAre("22", "80", "443"));
    EXPECT_THAT(config->mistakes(),
                ElementsAre(file.string() + ":3: 4/3: 4/3 has a slash",
                            folder.string() + ": expected a file, and this is a directory"));
}

TEST_F(LoadTest, WhatIsNoTextIsRefused) {
    using namespace std::string_view_literals;
    const auto file = write("etc/eghostbuster/eghostbuster.conf", "[tcp]\nNote=a\0b\n"sv);
    EXPECT_EQ(refusal(), file.string() + ":2: a control character; is this a text file?");
}

TEST_F(LoadTest, AHugeLineIsReadAndAHugeFileIsNot) {
    const std::string value(500'000, 'x');
    write("etc/eghostbuster/eghostbuster.conf", "[tcp]\nNote=" + value);
    EXPECT_EQ(note(), value);
    const auto file = write("etc/eghostbuster/eghostbuster.conf", std::string(2'000'000, '#'));
    EXPECT_THAT(refusal(), StartsWith(file.string() + ": more than 1048576 bytes"));
}

TEST_F(LoadTest, AFolderInPlaceOfAFileIsRefused) {
    const auto folder = root_.path() / "etc/eghostbuster/eghostbuster.conf.d/10.conf";
    std::filesystem::create_directories(folder);
    EXPECT_EQ(refusal(), folder.string() + ": expected a file, and this is a directory");
}

TEST_F(LoadTest, AFifoInPlaceOfAFileIsRefusedAndNotWaitedFor) {
    const auto fifo = root_.path() / "etc/eghostbuster/eghostbuster.conf";
    std::filesystem::create_directories(fifo.parent_path());
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(refusal(), fifo.string() + ": expected a file, and this is none");
}

TEST_F(LoadTest, AFileInPlaceOfAFolderIsRefused) {
    const auto file = write("etc/eghostbuster/eghostbuster.conf.d", "");
    EXPECT_THAT(refusal(), StartsWith(file.string() + ": Not a directory"));
}

TEST_F(LoadTest, ALinkToWhatIsNotThereIsRefused) {
    const auto link = root_.path() / "etc/eghostbuster/eghostbuster.conf";
    std::filesystem::create_directories(link.parent_path());
    std::filesystem::create_symlink("nowhere", link);
    EXPECT_THAT(refusal(), StartsWith(link.string() + ": No such file"));
}

/// Root reads everything; nobody does not.
class AsNobody {
public:
    AsNobody() : before_{::geteuid()} {
        if (before_ == 0 && ::seteuid(nobody) != 0) {
            throw std::runtime_error{"cannot become nobody"};
        }
    }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;
    ~AsNobody() { [[maybe_unused]] const int back = ::seteuid(before_); }

private:
    static constexpr uid_t nobody = 65534;
    uid_t before_;
};

TEST_F(LoadTest, WhatMayNotBeReadIsRefused) {
    const auto file = write("etc/eghostbuster/eghostbuster.conf.d/10.conf", "[tcp]\n");
    std::filesystem::permissions(file, perms::none);
    {
        const AsNobody nobody;
        EXPECT_EQ(refusal(), file.string() + ": Permission denied");
        EXPECT_EQ(load().error().code, ErrorCode::denied);
    }
    std::filesystem::permissions(file, for_everybody);
    std::filesystem::permissions(file.parent_path(), perms::none);
    {
        const AsNobody nobody;
        EXPECT_EQ(refusal(), file.parent_path().string() + ": Permission denied");
    }
    std::filesystem::permissions(file.parent_path(), for_everybody);
}

} // namespace

} // namespace egb::config
