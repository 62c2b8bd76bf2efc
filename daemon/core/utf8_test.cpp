// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace egb {

namespace {

using namespace std::string_view_literals;

struct Sample {
    std::string_view bytes;
    bool utf8;
    std::string_view shown;
};

class Utf8 : public testing::TestWithParam<Sample> {};

TEST_P(Utf8, IsRecognised) {
    EXPECT_EQ(is_utf8(GetParam().bytes), GetParam().utf8);
}

TEST_P(Utf8, IsShown) {
    const auto shown = printable(GetParam().bytes);
    EXPECT_EQ(shown, GetParam().shown);
    EXPECT_TRUE(is_utf8(shown));
    EXPECT_EQ(printable(shown), shown);
}

INSTANTIATE_TEST_SUITE_P(
    Samples, Utf8,
    testing::Values(Sample{"", true, ""}, Sample{"sshd: eva@pts/0", true, "sshd: eva@pts/0"},
                    Sample{"für 日本 👻", true, "für 日本 👻"},
                    Sample{R"(dev-disk\x2dby.mount)", true, R"(dev-disk\x2dby.mount)"},
                    Sample{"a\nb\0c"sv, true, R"(a\x0ab\x00c)"},
                    Sample{"\x1b[31m\x7f", true, R"(\x1b[31m\x7f)"},
                    Sample{"\xC2\x9B"
                           "2J",
                           true, R"(\xc2\x9b2J)"},
                    Sample{"\xC2\xA0", true, "\xC2\xA0"}, Sample{"\xFF", false, R"(\xff)"},
                    Sample{"a\x80z", false, R"(a\x80z)"}, Sample{"\xC3", false, R"(\xc3)"},
                    Sample{"\xE2\x82", false, R"(\xe2\x82)"}, Sample{"\xE2\x82z", false, R"(\xe2\x82z)"},
                    Sample{"\xC0\xAF", false, R"(\xc0\xaf)"},
                    Sample{"\xE0\x9F\xBF", false, R"(\xe0\x9f\xbf)"},
                    Sample{"\xED\xA0\x80", false, R"(\xed\xa0\x80)"},
                    Sample{"\xF4\x8F\xBF\xBF", true, "\xF4\x8F\xBF\xBF"},
                    Sample{"\xF4\x90\x80\x80", false, R"(\xf4\x90\x80\x80)"}));

} // namespace

} // namespace egb
