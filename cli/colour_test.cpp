// SPDX-License-Identifier: Apache-2.0
#include "colour.hpp"

#include <gtest/gtest.h>

namespace egb::cli {

namespace {

TerminalFacts at_a_terminal() {
    TerminalFacts facts;
    facts.out = Reader::person;
    facts.term = "xterm-256color";
    return facts;
}

bool colours(ColourMode mode, const TerminalFacts& facts) {
    return Painter{mode, facts}.colours();
}

TEST(Colour, IsForAPersonAtATerminal) {
    EXPECT_TRUE(colours(ColourMode::automatic, at_a_terminal()));
    auto piped = at_a_terminal();
    piped.out = Reader::program;
    EXPECT_FALSE(colours(ColourMode::automatic, piped));
}

TEST(Colour, TheEnvironmentMayRefuseIt) {
    auto refused = at_a_terminal();
    refused.no_color = "1";
    EXPECT_FALSE(colours(ColourMode::automatic, refused));
    auto dumb = at_a_terminal();
    dumb.term = "dumb";
    EXPECT_FALSE(colours(ColourMode::automatic, dumb));
    auto unknown = at_a_terminal();
    unknown.term = "";
    EXPECT_FALSE(colours(ColourMode::automatic, unknown));
}

TEST(Colour, TheCommandLineHasTheLastWord) {
    auto refused = at_a_terminal();
    refused.out = Reader::program;
    refused.no_color = "1";
    EXPECT_TRUE(colours(ColourMode::always, refused));
    EXPECT_FALSE(colours(ColourMode::never, at_a_terminal()));
}

TEST(Colour, PaintsAroundTheTextAndNotAroundNothing) {
    const Painter painter{ColourMode::always, {}};
    EXPECT_EQ(painter(Style::bad, "x"), "\x1b[1;31mx\x1b[0m");
    EXPECT_EQ(painter(Style::plain, "x"), "x");
    EXPECT_EQ(painter(Style::bad, ""), "");
    EXPECT_EQ(Painter{}(Style::bad, "x"), "x");
}

TEST(Terminal, ColumnsCountForAPersonOnly) {
    auto facts = at_a_terminal();
    facts.window_columns = 120;
    EXPECT_EQ(width_of(facts), 120U);
    facts.columns = "60";
    EXPECT_EQ(width_of(facts), 60U);
    facts.columns = "wide";
    EXPECT_EQ(width_of(facts), 120U);
    facts.window_columns.reset();
    EXPECT_EQ(width_of(facts), 80U);
    facts.out = Reader::program;
    facts.columns = "60";
    EXPECT_EQ(width_of(facts), std::nullopt);
}

} // namespace

} // namespace egb::cli
