// SPDX-License-Identifier: Apache-2.0
#include "core/format.hpp"
#include "unit_opt_outs.hpp"

#include "harness/fake_clock.hpp"
#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>

namespace egb {

namespace {

using namespace std::chrono_literals;
using testing::Optional;

constexpr std::string_view fragment{"usr/lib/systemd/system/db.service"};
constexpr std::string_view drop_in{"etc/systemd/system/db.service.d/egb.conf"};

class UnitOptOutsTest : public testing::Test {
protected:
    void write(std::string_view file, std::string_view statements) {
        root_.write(file, formatted("[X-Ghostbuster]\n{}\n", statements));
    }

    [[nodiscard]] std::string path(std::string_view file) const { return (root_.path() / file).string(); }

    test::TempFolder root_;
    test::FakeClock clock_;
    UnitOptOuts units_{clock_, root_.path()};
};

TEST_F(UnitOptOutsTest, LeaveAloneWhatSaysSoAndNothingElse) {
    write(drop_in, "Clean=no");
    EXPECT_THAT(units_.why_left_alone("db.service"),
                Optional(formatted("its unit db.service says \"Clean=no\" in {}", path(drop_in))));
    EXPECT_EQ(units_.why_left_alone("app.service"), std::nullopt);
    EXPECT_EQ(units_.why_left_alone(""), std::nullopt);
}

TEST_F(UnitOptOutsTest, TakeTheLastWord) {
    write(fragment, "Clean=no");
    write(drop_in, "Clean=yes");
    EXPECT_EQ(units_.why_left_alone("db.service"), std::nullopt);
    write("etc/systemd/system/db.service.d/zzz.conf", "Clean=off");
    units_.forget();
    EXPECT_NE(units_.why_left_alone("db.service"), std::nullopt);
    write("etc/systemd/system/db.service.d/zzz.conf", "Clean=");
    units_.forget();
    EXPECT_EQ(units_.why_left_alone("db.service"), std::nullopt) << "an empty value takes the word back";
    write(drop_in, "Clean=nonsense");
    units_.forget();
    EXPECT_EQ(units_.why_left_alone("db.service"), std::nullopt) << "a mistake that was mended";
}

TEST_F(UnitOptOutsTest, TakeAMistakeForAWish) {
    write(drop_in, "Clean=never");
    EXPECT_THAT(
        units_.why_left_alone("db.service"),
        Optional(formatted("its unit db.service says \"Clean=never\" in {}, which is neither yes nor no",
                           path(drop_in))));
    write(drop_in, "clean=no\nClean=yes");
    units_.forget();
    EXPECT_THAT(
        units_.why_left_alone("db.service"),
        Optional(formatted("its unit db.service says \"clean=no\" in {}, and there is no such setting",
                           path(drop_in))));
    write(drop_in, "Clean=\x1b[31m" + std::string(100, 'x'));
    units_.forget();
    EXPECT_THAT(units_.why_left_alone("db.service"),
                Optional(formatted(
                    "its unit db.service says \"Clean=\\x1b[31m{}\" in {}, which is neither yes nor no",
                    std::string(49, 'x'), path(drop_in))));
}

TEST_F(UnitOptOutsTest, TakeAFileThatCannotBeReadForAWish) {
    std::filesystem::create_directories(root_.path() / drop_in);
    EXPECT_THAT(
        units_.why_left_alone("db.service"),
        Optional(formatted("whether its unit db.service wants to be left alone cannot be read: {}: it is "
                           "not a file",
                           path(drop_in))));
    EXPECT_EQ(units_.why_left_alone("app.service"), std::nullopt);
}

TEST_F(UnitOptOutsTest, TakeAFolderThatCannotBeListedForAWishOfAllUnits) {
    std::filesystem::create_directories(root_.path() / "etc/systemd");
    const auto folder = root_.path() / "etc/systemd/system";
    std::filesystem::create_directory_symlink("system", folder);
    EXPECT_THAT(units_.why_left_alone("app.service"),
                Optional(formatted("whether its unit app.service wants to be left alone cannot be read: {}: "
                                   "Too many levels of symbolic links",
                                   folder.string())));
}

TEST_F(UnitOptOutsTest, RememberAnAnswerForAWhile) {
    EXPECT_EQ(units_.why_left_alone("db.service"), std::nullopt);
    write(drop_in, "Clean=no");
    clock_.advance(UnitOptOuts::remembered - 1ns);
    EXPECT_EQ(units_.why_left_alone("db.service"), std::nullopt);
    clock_.advance(1ns);
    EXPECT_NE(units_.why_left_alone("db.service"), std::nullopt);
    std::filesystem::remove(root_.path() / drop_in);
    EXPECT_NE(units_.why_left_alone("db.service"), std::nullopt);
    units_.forget();
    EXPECT_EQ(units_.why_left_alone("db.service"), std::nullopt);
}

} // namespace

} // namespace egb
