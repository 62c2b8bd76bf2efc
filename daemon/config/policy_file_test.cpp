// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"

#include "config/files.hpp"
#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

namespace egb::config {

namespace {

using testing::StartsWith;

class PolicyFile : public testing::Test {
protected:
    [[nodiscard]] Result<> save(std::string_view section,
                                const std::map<std::string, std::string>& values) const {
        return save_policy(file_, section, values);
    }
    [[nodiscard]] std::string text() const { return read_file(file_).value(); }

    /// What is in it besides the comment on top.
    [[nodiscard]] std::string body() const { return text().substr(text().find("\n[") + 1); }

    const test::TempFolder folder_;
    const std::filesystem::path file_{folder_.path() / "policy.conf"};
};

TEST_F(PolicyFile, IsMade) {
    ASSERT_TRUE(save("tcp", {{"Clean", "never"}, {"Veto", ""}}));
    EXPECT_THAT(text(), StartsWith("# Kept by eghostbusterd"));
    EXPECT_EQ(body(), "[tcp]\nClean=\nClean=never\nVeto=\n");
    struct stat status{};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0644);
}

TEST_F(PolicyFile, KeepsWhatElseIsInIt) {
    folder_.write(
        "policy.conf",
        "# mine\r\n[ipc]\nClean=never\n\n[tcp]\n; note\nVeto=1min\\\n  30s\nClean=proven\n[memory]\nX=1");
    ASSERT_TRUE(save("tcp", {{"Veto", "5s"}}));
    EXPECT_EQ(text(),
              "# mine\n[ipc]\nClean=never\n\n[tcp]\n; note\nClean=proven\nVeto=\nVeto=5s\n[memory]\nX=1\n");
}

TEST_F(PolicyFile, ReplacesEveryEarlierAssignment) {
    folder_.write("policy.conf", "[tcp]\nClean=never\n[ipc]\nClean=never\n[tcp]\nClean=\nClean=proven\n");
    ASSERT_TRUE(save("tcp", {{"Clean", "suspected"}}));
    EXPECT_EQ(text(), "[tcp]\n[ipc]\nClean=never\n[tcp]\nClean=\nClean=suspected\n");
}

TEST_F(PolicyFile, DoesNotGrowWithUse) {
    ASSERT_TRUE(save("tcp", {{"Clean", "never"}}));
    ASSERT_TRUE(save("ipc", {{"Clean", "never"}}));
    const auto size = text().size();
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(save("ipc", {{"Clean", "never"}}));
        ASSERT_TRUE(save("tcp", {{"Clean", "never"}}));
    }
    EXPECT_EQ(text().size(), size);
    EXPECT_EQ(body(), "[tcp]\nClean=\nClean=never\n\n[ipc]\nClean=\nClean=never\n");
}

TEST_F(PolicyFile, FillsAnEmptyFile) {
    folder_.write("policy.conf", "");
    ASSERT_TRUE(save("tcp", {{"Clean", "never"}}));
    EXPECT_EQ(text(), "\n[tcp]\nClean=\nClean=never\n");
}

TEST_F(PolicyFile, GivesEverythingBackToLoad) {
    const Schema schema{
        {.name = "governor",
         .options = {{.name = "Protect", .type = OptionType::list, .preset = "init.scope", .help = ""},
                     {.name = "Note", .type = OptionType::text, .preset = "none", .help = ""}}}};
    for (const auto* const list : {"a b", R"("a b" c)", "", "# ;"}) {
        ASSERT_TRUE(save("governor", {{"Protect", list}, {"Note", "x = [y] # z"}}));
        Config expected{schema};
        ASSERT_TRUE(expected.set("governor", "Protect", list));
        ASSERT_TRUE(expected.set("governor", "Note", "x = [y] # z"));
        EXPECT_EQ(load(schema, {.directories = {}, .policy_file = file_}), expected) << list;
    }
}

class PolicyFileInjection : public PolicyFile, public testing::WithParamInterface<std::string> {};

TEST_P(PolicyFileInjection, IsRefused) {
    const auto saved = save("tcp", {{"Note", GetParam()}});
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, ErrorCode::invalid);
    EXPECT_FALSE(std::filesystem::exists(file_));
}

INSTANTIATE_TEST_SUITE_P(Values, PolicyFileInjection,
                         testing::Values("a\n[governor]\nProtect=", "a\nClean=suspected", "a\\", "a\\\\\\",
                                         "a\rb", std::string{"a\0b", 3}, "\xFF", " a", "a\t"));

TEST_F(PolicyFile, RefusesNamesThatAreNone) {
    for (const auto* const name : {"", "a b", "a=b", "a]", "#a", "a\nb"}) {
        EXPECT_EQ(save(name, {{"Clean", "never"}}).error().code, ErrorCode::invalid) << name;
        EXPECT_EQ(save("tcp", {{name, "never"}}).error().code, ErrorCode::invalid) << name;
    }
    EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(PolicyFile, IsLeftAsItWasWhenItCannotBeRead) {
    folder_.write("policy.conf", "[tcp\nClean=never\n");
    const auto saved = save("tcp", {{"Clean", "proven"}});
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().message, file_.string() + ":1: expected [SECTION], not [tcp");
    EXPECT_EQ(text(), "[tcp\nClean=never\n");
}

TEST_F(PolicyFile, LeavesNoTraceOfAFailure) {
    std::filesystem::create_directories(file_ / "occupied");
    EXPECT_FALSE(save("tcp", {{"Clean", "proven"}}));
    const auto nowhere = save_policy(folder_.path() / "nowhere/policy.conf", "tcp", {{"Clean", "proven"}});
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, ErrorCode::not_found);
    EXPECT_EQ(std::ranges::distance(std::filesystem::directory_iterator{folder_.path()}), 1);
}

TEST_F(PolicyFile, LeavesNothingElseBehind) {
    ASSERT_TRUE(save("tcp", {{"Clean", "proven"}}));
    EXPECT_EQ(std::ranges::distance(std::filesystem::directory_iterator{folder_.path()}), 1);
}

} // namespace

} // namespace egb::config
