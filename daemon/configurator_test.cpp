// SPDX-License-Identifier: Apache-2.0
#include "configurator.hpp"

#include "config/default_file.hpp"
#include "daemon.hpp"
#include "harness/fake_kind.hpp"
#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

namespace egb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Lifetime = Configurator::Lifetime;

KindPtr make_fake(const host::Surroundings& surroundings) {
    return std::make_unique<test::FakeKind>(surroundings.clock);
}

class ConfiguratorTest : public testing::Test {
protected:
    [[nodiscard]] std::unique_ptr<Configurator> open() {
        auto configurator = std::make_unique<Configurator>(catalog_, root_.path(), state_.path());
        configurator->on_change([this](const config::Config&) {
            ++changes_;
        });
        return configurator;
    }

    void write(std::string_view text) const { root_.write("etc/eghostbuster/eghostbuster.conf", text); }

    std::array<kinds::CatalogEntry, 1> catalog_{{{test::fake_info(), make_fake}}};
    test::TempFolder root_;
    test::TempFolder state_;
    int changes_{};
};

TEST_F(ConfiguratorTest, WithoutAnyFileEverythingIsAtItsDefault) {
    const auto configurator = open();
    const auto daemon = configurator->daemon();
    EXPECT_EQ(daemon.history_rows, 100'000U);
    EXPECT_EQ(daemon.history_age, std::chrono::days{30});
    EXPECT_EQ(daemon.log_level, "info");
    EXPECT_FALSE(daemon.dry_run);
    EXPECT_TRUE(configurator->kind("fake").flag("Enabled"));
    EXPECT_FALSE(configurator->governor().flag("Paused"));
}

TEST_F(ConfiguratorTest, AWrongFileAtTheStartIsFatalAndNamed) {
    write("[Daemon]\nLogLevel=loud\n");
    try {
        static_cast<void>(open());
        FAIL() << "the file was accepted";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("etc/eghostbuster/eghostbuster.conf:2: "));
    }
}

TEST_F(ConfiguratorTest, AReloadTakesTheNewValuesAndTells) {
    const auto configurator = open();
    write("[fake]\nGrace=7s\n");
    ASSERT_TRUE(configurator->reload());
    EXPECT_EQ(configurator->kind("fake").span("Grace"), std::chrono::seconds{7});
    EXPECT_EQ(changes_, 1);
}

TEST_F(ConfiguratorTest, AFailedReloadChangesNothing) {
    write("[fake]\nGrace=7s\n");
    const auto configurator = open();
    write("[fake]\nGrace=8s\n[Governor]\nCooldown=banana\n");
    const auto reloaded = configurator->reload();
    ASSERT_FALSE(reloaded);
    EXPECT_THAT(reloaded.error().message, HasSubstr("eghostbuster.conf:4: "));
    EXPECT_EQ(configurator->kind("fake").span("Grace"), std::chrono::seconds{7});
    EXPECT_EQ(changes_, 0);
}

TEST_F(ConfiguratorTest, AReloadTakesWhatAListHasNow) {
    const auto configurator = open();
    EXPECT_THAT(configurator->kind("fake").words("names"), ElementsAre("known"));
    const auto file = root_.write("usr/share/eghostbuster/fake/names.list", "added\nof no use\n");
    ASSERT_TRUE(configurator->reload());
    EXPECT_THAT(configurator->kind("fake").words("names"), ElementsAre("known", "added"));
    EXPECT_THAT(configurator->mistakes(),
                ElementsAre(file.string() + ":2: of no use: a name without a blank"));
    EXPECT_EQ(changes_, 1);
    ASSERT_TRUE(configurator->set("fake", {{"Grace", "9s"}}, Lifetime::until_reload));
    EXPECT_THAT(configurator->kind("fake").words("names"), ElementsAre("known", "added"));
}

TEST_F(ConfiguratorTest, TheCheckNamesEachLineOfAListThatDoesNotCount) {
    DaemonOptions options;
    options.state_directory = state_.path();
    options.config_root = root_.path();
    EXPECT_NO_THROW(check_configuration(options, catalog_));
    const auto file = root_.write("etc/eghostbuster/fake/names.list", "a\nb c\nd e\n");
    try {
        check_configuration(options, catalog_);
        FAIL() << "the list was accepted";
    } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), file.string() + ":2: b c: a name without a blank\n" + file.string() +
                                    ":3: d e: a name without a blank");
    }
}

TEST_F(ConfiguratorTest, WhatIsDecidedAtTheStartIsNotHalfTaken) {
    const auto configurator = open();
    for (const auto* text : {"[fake]\nGrace=8s\nEnabled=no\n", "[Daemon]\nDryRun=yes\n[fake]\nGrace=8s\n"}) {
        write(text);
        const auto reloaded = configurator->reload();
        ASSERT_FALSE(reloaded);
        EXPECT_EQ(reloaded.error().code, ErrorCode::unsupported);
        EXPECT_THAT(reloaded.error().message, HasSubstr("restart"));
        EXPECT_EQ(configurator->kind("fake").span("Grace"), Span{});
    }
    EXPECT_EQ(changes_, 0);
}

TEST_F(ConfiguratorTest, WhatIsSetUntilReloadIsLostThen) {
    const auto configurator = open();
    ASSERT_TRUE(configurator->set("fake", {{"Grace", "9s"}, {"Clean", "never"}}, Lifetime::until_reload));
    EXPECT_EQ(configurator->kind("fake").span("Grace"), std::chrono::seconds{9});
    EXPECT_EQ(changes_, 1);
    ASSERT_TRUE(configurator->reload());
    EXPECT_EQ(configurator->kind("fake").span("Grace"), Span{});
    EXPECT_EQ(configurator->kind("fake").text("Clean"), "proven");
}

TEST_F(ConfiguratorTest, WhatIsSetForEverOutlivesReloadAndRestart) {
    {
        const auto configurator = open();
        ASSERT_TRUE(configurator->set("fake", {{"Grace", "9s"}}, Lifetime::persistent));
        ASSERT_TRUE(configurator->reload());
        EXPECT_EQ(configurator->kind("fake").span("Grace"), std::chrono::seconds{9});
    }
    EXPECT_EQ(open()->kind("fake").span("Grace"), std::chrono::seconds{9});
}

TEST_F(ConfiguratorTest, OneWrongOptionRefusesAllThatAreSetWithIt) {
    const auto configurator = open();
    for (const auto lifetime : {Lifetime::until_reload, Lifetime::persistent}) {
        EXPECT_FALSE(configurator->set("fake", {{"Grace", "9s"}, {"Veto", "banana"}}, lifetime));
        EXPECT_FALSE(configurator->set("fake", {{"Grace", "9s"}, {"NoSuch", "1"}}, lifetime));
        EXPECT_FALSE(configurator->set("fake", {{"Grace", "9s"}, {"Enabled", "no"}}, lifetime));
    }
    EXPECT_EQ(configurator->kind("fake").span("Grace"), Span{});
    EXPECT_TRUE(std::filesystem::is_empty(state_.path())) << "nothing was saved of what was refused";
    EXPECT_EQ(changes_, 0);
}

TEST_F(ConfiguratorTest, WhatCannotBeSavedIsNotSetEither) {
    const auto configurator = open();
    std::filesystem::create_directory(state_.path() / "policy.conf");
    EXPECT_FALSE(configurator->set("fake", {{"Grace", "9s"}}, Lifetime::persistent));
    EXPECT_EQ(configurator->kind("fake").span("Grace"), Span{});
}

TEST(DefaultConfiguration, TheInstalledFileIsThatOfThisBuild) {
    const auto path = std::filesystem::path{EGB_UNITS_FOLDER} / "eghostbuster.conf";
    std::ifstream file{path};
    const std::string installed{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_EQ(installed, config::render_defaults(schema_of(kinds::catalog())))
        << "write it anew: eghostbusterd --print-config > units/eghostbuster.conf";
}

} // namespace
} // namespace egb
