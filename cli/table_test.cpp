// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include "text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ranges>

namespace egb::cli {

namespace {

using ::testing::ElementsAre;

Table ghosts() {
    Table table{{{"ID", Align::right},
                 {"NAME", Align::left, Fit::flexible},
                 {"SUMMARY", Align::left, Fit::flexible}}};
    table.add({{"7"}, {"java"}, {"waits for its application"}});
    table.add({{"1234"}, {""}, {"short"}});
    return table;
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
    EXPECT_EQ(ghosts().render({}), "  ID NAME SUMMARY\n"
                                   "   7 java waits for its application\n"
                                   "1234 -    short\n");
}

TEST(Table, WithoutAHeadingTitlesTakeNoRoom) {
    Table table{{{"A LONG TITLE"}, {"B"}}};
    table.add({{"a"}, {"b"}});
    EXPECT_EQ(table.render({.columns = {}, .heading = Heading::hidden}), "a b\n");
}

TEST(Table, TheWidestFlexibleColumnGivesWay) {
    EXPECT_EQ(ghosts().render({.columns = 20}), "  ID NAME SUMMARY\n"
                                                "   7 java waits for…\n"
                                                "1234 -    short\n");
}

TEST(Table, NoLineIsWiderThanTheTerminalWhileThereIsSomethingToCut) {
    Table table{{{"ID"}, {"UNIT", Align::left, Fit::flexible}, {"SUMMARY", Align::left, Fit::flexible}}};
    table.add({{"1"}, {std::string(70, 'u')}, {"日本語日本語日本語日本語日本語日本語"}});
    for (const std::size_t columns : {30U, 47U, 61U, 80U, 200U}) {
        const auto text = table.render({.columns = columns});
        for (const auto line : text | std::views::split('\n')) {
            EXPECT_LE(columns_of(std::string_view{line}), columns);
        }
    }
}

TEST(Table, RigidColumnsAreNeverCut) {
    Table table{{{"ID"}, {"PID"}}};
    table.add({{"123456789"}, {"987654321"}});
    EXPECT_EQ(table.render({.columns = 5}), "ID        PID\n123456789 987654321\n");
}

TEST(Table, WideCharactersAlign) {
    Table table{{{"NAME"}, {"N", Align::right}}};
    table.add({{"日本"}, {"1"}});
    table.add({{"ab"}, {"22"}});
    EXPECT_EQ(table.render({}), "NAME  N\n日本  1\nab   22\n");
}

TEST(Table, ColourTakesNoRoom) {
    Table table{{{"GRADE"}, {"N"}}};
    table.add({{"proven", Style::bad}, {"1"}});
    const TerminalFacts facts;
    const auto text = table.render({.columns = {}, .painter = Painter{ColourMode::always, facts}});
    EXPECT_EQ(text, "\x1b[4mGRADE  N\x1b[0m\n\x1b[1;31mproven\x1b[0m 1\n");
}

TEST(Table, CellsCannotSpeakToTheTerminal) {
    Table table{{{"NAME"}}};
    table.add({{"a\x1b[2J\nb"}});
    EXPECT_EQ(table.render({}), "NAME\na\\x1b[2J\\x0ab\n");
}

TEST(Fit, NothingIsTakenWhereThereIsRoom) {
    EXPECT_THAT(fit({{10, 2}, {20, 2}}, 30), ElementsAre(10U, 20U));
}

TEST(Fit, TheWidestGivesWayFirst) {
    EXPECT_THAT(fit({{10, 2}, {20, 2}}, 25), ElementsAre(10U, 15U));
}

TEST(Fit, EquallyWideShareTheLoss) {
    EXPECT_THAT(fit({{20, 2}, {20, 2}, {5, 5}}, 35), ElementsAre(15U, 15U, 5U));
    EXPECT_THAT(fit({{10, 2}, {20, 2}}, 16), ElementsAre(8U, 8U));
}

TEST(Fit, NobodyGoesBelowTheLeast) {
    EXPECT_THAT(fit({{10, 8}, {20, 8}}, 4), ElementsAre(8U, 8U));
    EXPECT_THAT(fit({{10, 10}}, 0), ElementsAre(10U));
    EXPECT_THAT(fit({}, 0), ElementsAre());
}

} // namespace

} // namespace egb::cli
