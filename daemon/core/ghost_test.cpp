// SPDX-License-Identifier: Apache-2.0
#include "core/ghost.hpp"

#include "core/kind_info.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace egb {
namespace {

using namespace std::chrono_literals;

constexpr KindInfo pipes{.name = "pipe",
                         .summary = "",
                         .reach = Reach::reports,
                         .options = {},
                         .evidence = {},
                         .capabilities = {}};
constexpr Instant now{1h};

Ghost ghost_of_two() {
    const auto nginx =
        std::make_shared<const Process>(Process{.id = {.boot_id = "b", .pid = 10, .start_ticks = 1},
                                                .uid = 33,
                                                .comm = "nginx",
                                                .exe = "/usr/sbin/nginx",
                                                .unit = "nginx.service",
                                                .container = "0123456789abcdef"});
    const auto shell =
        std::make_shared<const Process>(Process{.id = {.boot_id = "b", .pid = 20, .start_ticks = 2},
                                                .uid = 1000,
                                                .comm = "sh",
                                                .exe = "",
                                                .unit = "session-1.scope",
                                                .container = ""});
    return {.id = 1,
            .kind = &pipes,
            .key = "k",
            .grade = Grade::proven,
            .summary = "",
            .since = now - 10s,
            .since_kind = SinceKind::observed,
            .holders = {{.process = nginx, .fd = 3}, {.process = shell, .fd = 4}},
            .evidence = {}};
}

struct FilterCase {
    std::string_view name;
    GhostFilter filter;
    bool matches;
};

void PrintTo(const FilterCase& filter, std::ostream* out) {
    *out << filter.name;
}

class Filter : public testing::TestWithParam<FilterCase> {};

TEST_P(Filter, selects) {
    EXPECT_EQ(GetParam().filter.matches(ghost_of_two(), now), GetParam().matches);
}

GhostFilter with(auto GhostFilter::* member, auto value) {
    GhostFilter filter;
    filter.*member = value;
    return filter;
}

INSTANTIATE_TEST_SUITE_P(
    members, Filter,
    testing::Values(FilterCase{"everything", {}, true},
                    FilterCase{"kind", with(&GhostFilter::kind, "pipe"), true},
                    FilterCase{"other kind", with(&GhostFilter::kind, "tcp"), false},
                    FilterCase{"grade", with(&GhostFilter::grade, Grade::proven), true},
                    FilterCase{"other grade", with(&GhostFilter::grade, Grade::suspected), false},
                    FilterCase{"first holder", with(&GhostFilter::pid, 10), true},
                    FilterCase{"second holder", with(&GhostFilter::pid, 20), true},
                    FilterCase{"no holder", with(&GhostFilter::pid, 30), false},
                    FilterCase{"uid", with(&GhostFilter::uid, 1000U), true},
                    FilterCase{"other uid", with(&GhostFilter::uid, 0U), false},
                    FilterCase{"unit", with(&GhostFilter::unit, "nginx.service"), true},
                    FilterCase{"part of a unit", with(&GhostFilter::unit, "nginx"), false},
                    FilterCase{"container", with(&GhostFilter::container, "0123456789abcdef"), true},
                    FilterCase{"short container id", with(&GhostFilter::container, "012345"), true},
                    FilterCase{"other container", with(&GhostFilter::container, "12345"), false},
                    FilterCase{"comm", with(&GhostFilter::comm, "sh"), true},
                    FilterCase{"other comm", with(&GhostFilter::comm, "bash"), false},
                    FilterCase{"just old enough", with(&GhostFilter::min_age, Span{10s}), true},
                    FilterCase{"too young", with(&GhostFilter::min_age, Span{10s + 1ns}), false}));

TEST(GhostFilter, passes_over_members_unless_it_is_told_to_show_them) {
    auto member = ghost_of_two();
    member.group = "all";
    EXPECT_FALSE(GhostFilter{}.matches(member, now));
    EXPECT_TRUE(with(&GhostFilter::members, true).matches(member, now));
    EXPECT_TRUE(with(&GhostFilter::members, true).matches(ghost_of_two(), now));
}

TEST(GhostFilter, for_a_group_wants_members_only) {
    auto member = ghost_of_two();
    member.group = "all";
    EXPECT_TRUE(with(&GhostFilter::group, GhostId{7}).matches(member, now));
    EXPECT_FALSE(with(&GhostFilter::group, GhostId{7}).matches(ghost_of_two(), now));
}

TEST(Ghost, is_a_member_of_the_summary_that_its_group_names) {
    auto summary = ghost_of_two();
    auto member = ghost_of_two();
    EXPECT_FALSE(is_member(member, summary));
    summary.key = "all";
    member.group = "all";
    EXPECT_TRUE(is_member(member, summary));
    EXPECT_FALSE(is_member(summary, member));
}

TEST(GhostFilter, asks_everything_of_the_same_holder) {
    GhostFilter filter;
    filter.pid = 20;
    filter.comm = "sh";
    EXPECT_TRUE(filter.matches(ghost_of_two(), now));
    filter.comm = "nginx";
    EXPECT_FALSE(filter.matches(ghost_of_two(), now));
}

TEST(GhostFilter, that_asks_for_a_holder_passes_over_a_ghost_without_one) {
    auto orphan = ghost_of_two();
    orphan.holders.clear();
    EXPECT_TRUE(GhostFilter{}.matches(orphan, now));
    EXPECT_FALSE(with(&GhostFilter::uid, 0U).matches(orphan, now));
}

TEST(Grade, reads_its_own_names_and_no_others) {
    EXPECT_EQ(parse_grade("suspected"), Grade::suspected);
    EXPECT_EQ(parse_grade("proven"), Grade::proven);
    EXPECT_EQ(to_string(Grade::suspected), "suspected");
    EXPECT_EQ(to_string(Grade::proven), "proven");
    EXPECT_FALSE(parse_grade("certain"));
    EXPECT_FALSE(parse_grade(""));
}

TEST(SinceKind, has_stable_names) {
    EXPECT_EQ(to_string(SinceKind::observed), "observed");
    EXPECT_EQ(to_string(SinceKind::at_least), "at-least");
}

} // namespace
} // namespace egb
