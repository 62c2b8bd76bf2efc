// SPDX-License-Identifier: Apache-2.0
#include "config/default_file.hpp"

#include "core/format.hpp"
#include "core/lines.hpp"
#include "harness/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

namespace egb::config {

namespace {

using testing::HasSubstr;

constexpr std::array<std::string_view, 2> choices{"never", "proven"};
constexpr std::string_view long_help = "This help is longer than a line of the file can be, so that it has "
                                       "to be broken somewhere between two of its "
                                       "words, and goes on below, behind a comment sign of its own.";

Schema test_schema() {
    return {
        {.name = "one",
         .options = {{.name = "Flag", .type = OptionType::flag, .preset = "no", .help = "A flag."},
                     {.name = "Span",
                      .type = OptionType::span,
                      .preset = "2min",
                      .help = "A span.",
                      .least = 1,
                      .most = 3600},
                     {.name = "List", .type = OptionType::list, .preset = "a b", .help = long_help}}},
        {.name = "two",
         .options = {
             {.name = "Choice",
              .type = OptionType::choice,
              .preset = "never",
              .help = "A choice.",
              .choices = choices},
             {.name = "Count", .type = OptionType::count, .preset = "5", .help = "A count.", .least = 1}}}};
}

/// The same with each assignment brought to life.
std::string uncommented(std::string_view text) {
    std::string live;
    for (const auto line : lines_of(text)) {
        const bool assignment =
            line.size() > 1 && line[0] == '#' && std::isalpha(static_cast<unsigned char>(line[1])) != 0;
        live += formatted("{}\n", assignment ? line.substr(1) : line);
    }
    return live;
}

TEST(DefaultFile, ShowsEachOptionWithHelpAndDefault) {
    const auto text = render_defaults(test_schema());
    EXPECT_THAT(text, testing::StartsWith("# SPDX-License-Identifier: Apache-2.0\n"));
    EXPECT_THAT(text, HasSubstr("\n\n[one]\n\n# A flag.\n#Flag=no\n\n"
                                "# A span. At least 1s. At most 1h.\n#Span=2min\n\n"));
    EXPECT_THAT(text, HasSubstr("\n\n[two]\n\n# A choice. One of: never, proven.\n#Choice=never\n\n"
                                "# A count. At least 1.\n#Count=5\n"));
}

TEST(DefaultFile, BreaksLines) {
    const auto text = render_defaults(test_schema());
    for (const auto line : lines_of(text)) {
        EXPECT_LE(line.size(), 110) << line;
    }
    EXPECT_THAT(
        text, HasSubstr("# This help is longer than a line of the file can be, so that it has to be broken "
                        "somewhere between two of its\n# words, and goes on below, behind a comment sign of "
                        "its own.\n#List=a b\n"));
}

TEST(DefaultFile, ChangesNothing) {
    const auto schema = test_schema();
    const test::TempFolder folder;
    const Paths paths{.directories = {folder.path()}, .policy_file = folder.path() / "policy.conf"};
    folder.write("eghostbuster.conf", render_defaults(schema));
    EXPECT_EQ(load(schema, paths), Config{schema});
}

TEST(DefaultFile, SaysTheTruth) {
    const auto schema = test_schema();
    const test::TempFolder folder;
    const Paths paths{.directories = {folder.path()}, .policy_file = folder.path() / "policy.conf"};
    auto live = uncommented(render_defaults(schema));
    // A list is added to, and so begins from nothing.
    live.insert(live.find("\nList="), "\nList=");
    folder.write("eghostbuster.conf", live);
    const auto config = load(schema, paths);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(*config, Config{schema});
}

} // namespace

} // namespace egb::config
