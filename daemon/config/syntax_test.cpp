// SPDX-License-Identifier: Apache-2.0
#include "config/syntax.hpp"

#include "core/format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace egb::config {

void PrintTo(const Statement& statement, std::ostream* out) {
    *out << formatted("{}-{} [{}] {}={}", statement.first_line, statement.last_line, statement.section,
                      statement.name, statement.value);
}

namespace {

using namespace std::string_view_literals;

struct Good {
    std::string_view text;
    std::vector<Statement> statements;
};

class Syntax : public testing::TestWithParam<Good> {};

TEST_P(Syntax, IsUnderstood) {
    const auto statements = parse(GetParam().text);
    ASSERT_TRUE(statements) << statements.error().message;
    EXPECT_EQ(*statements, GetParam().statements);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, Syntax,
    testing::Values(Good{"", {}}, Good{"\n", {}}, Good{" \t\n\n", {}}, Good{"# a\n; b\n  # c\n", {}},
                    Good{"[a]\n", {{1, 1, "a", ""}}}, Good{"  [a] \t\n", {{1, 1, "a", ""}}},
                    Good{"[a]\nX=1\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "1"}}},
                    Good{"[a]\nX=1", {{1, 1, "a", ""}, {2, 2, "a", "X", "1"}}},
                    Good{"[a]\n  X \t= 1 2\t\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "1 2"}}},
                    Good{"[a]\nX=\n", {{1, 1, "a", ""}, {2, 2, "a", "X", ""}}},
                    Good{"[a]\nX=1=2\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "1=2"}}},
                    Good{"[a]\nX=[b]\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "[b]"}}},
                    Good{"[a]\nX=1 # 2\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "1 # 2"}}},
                    Good{"[a]\nX=für 👻\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "für 👻"}}},
                    Good{"[a]\nX=1\nX=2\n[b]\nX=3\n[a]\nY=4\n",
                         {{1, 1, "a", ""},
                          {2, 2, "a", "X", "1"},
                          {3, 3, "a", "X", "2"},
                          {4, 4, "b", ""},
                          {5, 5, "b", "X", "3"},
                          {6, 6, "a", ""},
                          {7, 7, "a", "Y", "4"}}},
                    Good{"\xEF\xBB\xBF[a]\n", {{1, 1, "a", ""}}}));

INSTANTIATE_TEST_SUITE_P(
    FromWindows, Syntax,
    testing::Values(Good{"[a]\r\nX=1\r\n\r\n# c\r\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "1"}}},
                    Good{"[a]\r\nX=1\\\r\n2\r\n", {{1, 1, "a", ""}, {2, 3, "a", "X", "1 2"}}}));

INSTANTIATE_TEST_SUITE_P(
    Continued, Syntax,
    testing::Values(
        Good{"[a]\nX=1\\\n2\nY=3\n", {{1, 1, "a", ""}, {2, 3, "a", "X", "1 2"}, {4, 4, "a", "Y", "3"}}},
        Good{"[a]\nX=1\\\n  2\\\n  3\n", {{1, 1, "a", ""}, {2, 4, "a", "X", "1   2   3"}}},
        Good{"[a]\nX=1\\\n# not this\n ; nor that \\\n2\n", {{1, 1, "a", ""}, {2, 5, "a", "X", "1 2"}}},
        Good{"[a]\nX=1\\\n\nY=2\n", {{1, 1, "a", ""}, {2, 3, "a", "X", "1"}, {4, 4, "a", "Y", "2"}}},
        Good{"[a]\nX=1\\\nY=2\n", {{1, 1, "a", ""}, {2, 3, "a", "X", "1 Y=2"}}},
        Good{"[a]\nX=1\\\\\nY=2\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "1\\\\"}, {3, 3, "a", "Y", "2"}}},
        Good{"[a]\nX=1\\ \nY=2\n", {{1, 1, "a", ""}, {2, 2, "a", "X", "1\\"}, {3, 3, "a", "Y", "2"}}},
        Good{"[a]\n# c\\\nX=1\n", {{1, 1, "a", ""}, {3, 3, "a", "X", "1"}}},
        Good{"\\\n[a]\n", {{1, 2, "a", ""}}}));

struct Bad {
    std::string_view text;
    std::string_view message;
};

class WrongSyntax : public testing::TestWithParam<Bad> {};

TEST_P(WrongSyntax, IsRefusedWithItsLine) {
    const auto statements = parse(GetParam().text);
    ASSERT_FALSE(statements);
    EXPECT_EQ(statements.error().code, ErrorCode::invalid);
    EXPECT_EQ(statements.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, WrongSyntax,
    testing::Values(Bad{"\n\nX=1\n", "3: X= stands before any [SECTION]"},
                    Bad{"[a]\nfoo\n", "2: expected NAME=VALUE or [SECTION], not foo"},
                    Bad{"[a]\n=foo\n", "2: expected NAME=VALUE or [SECTION], not =foo"},
                    Bad{"[a]\n\n[b\n", "3: expected [SECTION], not [b"},
                    Bad{"[]\n", "1: expected [SECTION], not []"}, Bad{"[\n", "1: expected [SECTION], not ["},
                    Bad{"[a] b\n", "1: expected [SECTION], not [a] b"},
                    Bad{"[a]b]\n", "1: expected [SECTION], not [a]b]"},
                    Bad{"[a]\nX=1\\\n 2\nfoo\\\nbar\n", "4: expected NAME=VALUE or [SECTION], not foo bar"},
                    Bad{"[a]\nX=1\0\n"sv, "2: a control character; is this a text file?"},
                    Bad{"\0"sv, "1: a control character; is this a text file?"},
                    Bad{"[a]\nX=1\rY=2\n", "2: a control character; is this a text file?"},
                    Bad{"# \x1b[31m\n", "1: a control character; is this a text file?"},
                    Bad{"[a]\nX=f\xFCr\n", "2: this is not UTF-8"},
                    Bad{"[a]\nX=1\\", "2: a backslash at the end, and no line after it"},
                    Bad{"[a]\nX=1\\\n", "2: a backslash at the end, and no line after it"},
                    Bad{"[a]\nX=1\\\n# c\n", "2: a backslash at the end, and no line after it"}));

TEST(WrongSyntaxOf, AHugeLineIsShownByItsBeginning) {
    const auto statements = parse("[a]\n" + std::string(500'000, 'x') + "\n");
    ASSERT_FALSE(statements);
    EXPECT_THAT(statements.error().message,
                testing::StartsWith("2: expected NAME=VALUE or [SECTION], not xxx"));
    EXPECT_LT(statements.error().message.size(), 200);
}

TEST(SyntaxOf, AHugeLineIsUnderstood) {
    const std::string value(500'000, 'x');
    const auto statements = parse("[a]\nX=" + value);
    ASSERT_TRUE(statements) << statements.error().message;
    EXPECT_EQ(statements->back().value, value);
}

} // namespace

} // namespace egb::config
