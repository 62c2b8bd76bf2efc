// SPDX-License-Identifier: Apache-2.0
#include "core/evidence.hpp"

#include "core/clock.hpp"

#include <gtest/gtest.h>

namespace egb {
namespace {

using namespace std::chrono_literals;

struct SentenceCase {
    EvidenceUnit unit;
    std::string_view text;
    std::int64_t value;
    std::string_view expected;
};

class EvidenceSentence : public testing::TestWithParam<SentenceCase> {};

TEST_P(EvidenceSentence, shows_its_number_in_the_unit_of_the_rule) {
    const auto& [unit, text, value, expected] = GetParam();
    const EvidenceRule rule{
        .name = "rule", .weight = Weight::supports, .unit = unit, .text = text, .change = ""};
    EXPECT_EQ(sentence({.rule = &rule, .value = value}, Instant{Span{100s}}), expected);
}

INSTANTIATE_TEST_SUITE_P(
    units, EvidenceSentence,
    testing::Values(
        SentenceCase{EvidenceUnit::none, "the peer is gone", 7, "the peer is gone"},
        SentenceCase{EvidenceUnit::count, "{} processes hold it", 3, "3 processes hold it"},
        SentenceCase{EvidenceUnit::count, "{} too many", -3, "-3 too many"},
        SentenceCase{EvidenceUnit::span, "silent for {}", Span{90s}.count(), "silent for 1min 30s"},
        SentenceCase{EvidenceUnit::since, "silent for {}", Span{10s}.count(), "silent for 1min 30s"},
        SentenceCase{EvidenceUnit::bytes, "{} wait", 0, "0 B wait"},
        SentenceCase{EvidenceUnit::bytes, "{} wait", 1023, "1023 B wait"},
        SentenceCase{EvidenceUnit::bytes, "{} wait", 1536, "1.5 KiB wait"},
        SentenceCase{EvidenceUnit::bytes, "{} wait", std::int64_t{3} << 20, "3.0 MiB wait"},
        SentenceCase{EvidenceUnit::bytes, "{} wait", std::int64_t{5} << 30, "5.0 GiB wait"},
        SentenceCase{EvidenceUnit::bytes, "{} wait", std::int64_t{2} << 50, "2048.0 TiB wait"},
        SentenceCase{EvidenceUnit::bytes, "{}", -2048, "-2.0 KiB"}));

TEST(Weight, has_stable_names) {
    EXPECT_EQ(to_string(Weight::supports), "supports");
    EXPECT_EQ(to_string(Weight::opposes), "opposes");
}

} // namespace
} // namespace egb
