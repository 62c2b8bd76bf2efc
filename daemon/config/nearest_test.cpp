// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace egb::config {

namespace {

constexpr std::array<std::string_view, 4> names{"Enabled", "Clean", "Veto", "CloseWaitAfter"};

struct NearestSample {
    std::string_view wrong;
    std::string_view suggestion;
};

class Nearest : public testing::TestWithParam<NearestSample> {};

TEST_P(Nearest, IsSuggested) {
    EXPECT_EQ(suggestion(GetParam().wrong, names), GetParam().suggestion);
}

constexpr std::string_view all = "there are Enabled, Clean, Veto and CloseWaitAfter";

INSTANTIATE_TEST_SUITE_P(Names, Nearest,
                         testing::Values(NearestSample{"Cleen", "did you mean Clean?"},
                                         NearestSample{"clean", "did you mean Clean?"},
                                         NearestSample{"Cean", "did you mean Clean?"},
                                         NearestSample{"Enable", "did you mean Enabled?"},
                                         NearestSample{"CloseWait", "did you mean CloseWaitAfter?"},
                                         NearestSample{"Vote", "did you mean Veto?"},
                                         NearestSample{"Celna", "did you mean Clean?"},
                                         NearestSample{"Threshold", all}, NearestSample{"", all}));

TEST(NearestOf, ATextWithoutEndIsNotCompared) {
    EXPECT_EQ(suggestion(std::string(1 << 20, 'C'), names), all);
}

TEST(NearestOf, NothingIsNothing) {
    EXPECT_EQ(suggestion("Clean", {}), "there are none");
}

} // namespace

} // namespace egb::config
