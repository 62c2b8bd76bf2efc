// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace egb {

namespace {

using namespace std::string_view_literals;

struct Utf8Sample {
    std::string_view bytes;
    bool utf8;
    std::string_view shown;
};

class Utf8 : public testing::TestWithParam<Utf8Sample> {};

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
    testing::Values(
        Utf8Sample{"", true, ""}, Utf8Sample{"sshd: eva@pts/0", true, "sshd: eva@pts/0"},
        Utf8Sample{"für 日本 👻", true, "für 日本 👻"},
        Utf8Sample{R"(dev-disk\x2dby.mount)", true, R"(dev-disk\x2dby.mount)"},
        Utf8Sample{"a\nb\0c"sv, true, R"(a\x0ab\x00c)"}, Utf8Sample{"\x1b[31m\x7f", true, R"(\x1b[31m\x7f)"},
        Utf8Sample{"\xC2\x9B"
                   "2J",
                   true, R"(\xc2\x9b2J)"},
        Utf8Sample{"\xC2\xA0", true, "\xC2\xA0"}, Utf8Sample{"\xFF", false, R"(\xff)"},
        Utf8Sample{"a\x80z", false, R"(a\x80z)"}, Utf8Sample{"\xC3", false, R"(\xc3)"},
        Utf8Sample{"\xE2\x82", false, R"(\xe2\x82)"}, Utf8Sample{"\xE2\x82z", false, R"(\xe2\x82z)"},
        Utf8Sample{"\xC0\xAF", false, R"(\xc0\xaf)"}, Utf8Sample{"\xE0\x9F\xBF", false, R"(\xe0\x9f\xbf)"},
        Utf8Sample{"\xED\xA0\x80", false, R"(\xed\xa0\x80)"},
        Utf8Sample{"\xF4\x8F\xBF\xBF", true, "\xF4\x8F\xBF\xBF"},
        Utf8Sample{"\xF4\x90\x80\x80", false, R"(\xf4\x90\x80\x80)"}));

} // namespace

} // namespace egb
