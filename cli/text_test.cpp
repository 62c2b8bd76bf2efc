// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egb::cli {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Text, ColumnsAreWhatATerminalShows) {
    EXPECT_EQ(columns_of(""), 0U);
    EXPECT_EQ(columns_of("java"), 4U);
    EXPECT_EQ(columns_of("Bücher"), 6U);
    EXPECT_EQ(columns_of("日本語"), 6U);     // wide
    EXPECT_EQ(columns_of("e\u0301"), 1U);    // combining
    EXPECT_EQ(columns_of("\U0001F47B"), 2U); // a ghost
}

TEST(Text, WhatFitsIsNotShortened) {
    EXPECT_EQ(shorten("java", 4, Charset::utf8), "java");
    EXPECT_EQ(shorten("", 0, Charset::utf8), "");
}

TEST(Text, ShortenedTextEndsInAnEllipsis) {
    EXPECT_EQ(shorten("kubernetes", 6, Charset::utf8), "kuber…");
    EXPECT_EQ(shorten("kubernetes", 6, Charset::ascii), "kub...");
    EXPECT_EQ(shorten("kubernetes", 1, Charset::utf8), "…");
    EXPECT_EQ(shorten("kubernetes", 2, Charset::ascii), "..");
    EXPECT_EQ(shorten("kubernetes", 0, Charset::utf8), "");
}

TEST(Text, NoCharacterIsCutInHalf) {
    EXPECT_EQ(shorten("日本語", 5, Charset::utf8), "日本…");
    EXPECT_EQ(shorten("日本語", 4, Charset::utf8), "日…");
    EXPECT_EQ(shorten("e\u0301e\u0301e\u0301", 2, Charset::utf8), "e\u0301…");
}

TEST(Text, WrapsAtBlanks) {
    EXPECT_THAT(wrap("one two  three", 7), ElementsAre("one two", "three"));
    EXPECT_THAT(wrap("a verylongword b", 6), ElementsAre("a", "verylongword", "b"));
    EXPECT_THAT(wrap("", 6), IsEmpty());
}

TEST(Text, LinesStayLinesAndNothingElseGetsThrough) {
    EXPECT_EQ(printable_lines("a\x1b[2J\n\nb\t"), "a\\x1b[2J\n\nb\\x09");
    EXPECT_EQ(printable_lines("\na"), "\na");
    EXPECT_EQ(printable_lines(""), "");
}

TEST(Text, Counts) {
    EXPECT_EQ(counted(0, "ghost"), "0 ghosts");
    EXPECT_EQ(counted(1, "ghost"), "1 ghost");
    EXPECT_EQ(counted(2, "ghost"), "2 ghosts");
}

TEST(Text, TheNearestWordIsABeginningOrATypingMistake) {
    const std::vector<std::string> words{"list", "status", "scan", "show"};
    EXPECT_EQ(nearest("lst", words), "list");
    EXPECT_EQ(nearest("stat", words), "status");
    EXPECT_EQ(nearest("sttaus", words), "status");
    EXPECT_EQ(nearest("frobnicate", words), "");
    EXPECT_EQ(nearest("", words), "");
    EXPECT_EQ(nearest("x", {}), "");
}

} // namespace

} // namespace egb::cli
