// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace egb::config {

namespace {

constexpr std::array<std::string_view, 4> names{"Enabled", "Clean", "Veto", "CloseWaitAfter"};

struct Sample {
    std::string_view wrong;
    std::string_view suggestion;
};

class Nearest : public testing::TestWithParam<Sample> {};

TEST_P(Nearest, IsSuggested) {
    EXPECT_EQ(suggestion(GetParam().wrong, names), GetParam().suggestion);
}

constexpr std::string_view all = "there are Enabled, Clean, Veto and CloseWaitAfter";

INSTANTIATE_TEST_SUITE_P(
    Names, Nearest,
    testing::Values(Sample{"Cleen", "did you mean Clean?"}, Sample{"clean", "did you mean Clean?"},
                    Sample{"Cean", "did you mean Clean?"}, Sample{"Enable", "did you mean Enabled?"},
                    Sample{"CloseWait", "did you mean CloseWaitAfter?"}, Sample{"Vote", "did you mean Veto?"},
                    Sample{"Celna", "did you mean Clean?"}, Sample{"Threshold", all}, Sample{"", all}));

TEST(NearestOf, ATextWithoutEndIsNotCompared) {
    EXPECT_EQ(suggestion(std::string(1 << 20, 'C'), names), all);
}

TEST(NearestOf, NothingIsNothing) {
    EXPECT_EQ(suggestion("Clean", {}), "there are none");
}

} // namespace

} // namespace egb::config
