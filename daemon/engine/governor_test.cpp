// SPDX-License-Identifier: Apache-2.0
#include "engine/governor.hpp"

#include "harness/builders.hpp"

#include <gmock/gmock.h>

#include <map>
#include <ostream>
#include <utility>

namespace egb::engine {
namespace {

using namespace std::chrono_literals;
using test::held_by;

constexpr Instant noon{12h};

const GovernorLimits generous{.paused = false,
                              .acts_per_minute = 1000,
                              .acts_per_minute_per_unit = 1000,
                              .cooldown = 10min,
                              .protect = {}};

GovernorLimits with(auto GovernorLimits::* member, auto value) {
    GovernorLimits limits = generous;
    limits.*member = std::move(value);
    return limits;
}

Ghost ghost_of(GhostId id, std::vector<Holder> holders = held_by({})) {
    auto ghost = test::make_ghost(std::to_string(id));
    ghost.id = id;
    ghost.holders = std::move(holders);
    return ghost;
}

ErrorCode code(const Result<>& result) {
    return result.error().code;
}

TEST(Governor, admits_what_nothing_speaks_against) {
    const Governor governor{generous};
    EXPECT_TRUE(governor.admit(ghost_of(1), noon));
    EXPECT_EQ(governor.opens_at(noon), noon);
    EXPECT_EQ(governor.opens_at(ghost_of(1), noon), noon);
}

TEST(Governor, admits_nothing_until_it_is_given_limits) {
    const Governor governor{GovernorLimits{}};
    EXPECT_FALSE(governor.admit(ghost_of(1), noon));
    EXPECT_EQ(governor.opens_at(noon), end_of_time);
}

TEST(Governor, admits_nothing_while_paused) {
    const Governor governor{with(&GovernorLimits::paused, true)};
    const auto admitted = governor.admit(ghost_of(1), noon);
    ASSERT_FALSE(admitted);
    EXPECT_EQ(code(admitted), ErrorCode::busy);
    EXPECT_THAT(admitted.error().message, testing::HasSubstr("paused"));
}

struct Protection {
    std::string_view name;
    std::string glob;
    test::ProcessTraits process;
    bool protects;
};

void PrintTo(const Protection& protection, std::ostream* out) {
    *out << protection.name;
}

class Protect : public testing::TestWithParam<Protection> {};

TEST_P(Protect, refuses_for_good_what_a_glob_matches) {
    const Governor governor{with(&GovernorLimits::protect, std::vector{GetParam().glob})};
    const auto admitted = governor.admit(ghost_of(1, held_by(GetParam().process)), noon);
    ASSERT_EQ(!admitted, GetParam().protects);
    if (!admitted) {
        EXPECT_EQ(code(admitted), ErrorCode::denied);
        EXPECT_THAT(admitted.error().message, testing::HasSubstr(GetParam().glob));
    }
}

INSTANTIATE_TEST_SUITE_P(
    globs, Protect,
    testing::Values(Protection{"unit", "postgres*", {.unit = "postgresql.service"}, true},
                    Protection{"comm", "postgres", {.comm = "postgres"}, true},
                    Protection{"exe", "/opt/oracle/*", {.exe = "/opt/oracle/bin/oracle"}, true},
                    Protection{"container", "0123*", {.container = "0123456789ab"}, true},
                    Protection{"escaped unit", R"(srv\x2d*)", {.unit = R"(srv\x2dlock.service)"}, true},
                    Protection{"part of a name", "postgres", {.comm = "postgres-x"}, false},
                    Protection{"none of them", "postgres*", {}, false},
                    Protection{
                        "what is not known", "*", {.comm = "", .exe = "", .unit = "", .container = ""}, true},
                    Protection{"a program that is not known, by its path", "/opt/*", {.exe = ""}, true},
                    Protection{"a program that is not known, by another name", "oracle", {.exe = ""}, false},
                    Protection{"everything known", "*", {}, true}));

TEST(Governor, protects_a_ghost_for_the_sake_of_any_holder) {
    const Governor governor{with(&GovernorLimits::protect, std::vector<std::string>{"sshd"})};
    auto holders = held_by({.pid = 1, .comm = "app"});
    holders.push_back({.process = test::make_process({.pid = 2, .comm = "sshd"}), .fd = 4});
    EXPECT_FALSE(governor.admit(ghost_of(1, holders), noon));
    EXPECT_EQ(governor.protection(ghost_of(1, holders)), "a process that holds it is protected by \"sshd\"");
    EXPECT_EQ(governor.protection(ghost_of(2)), std::nullopt);
}

TEST(Governor, protects_what_nobody_knows_the_holders_of) {
    const Governor governor{with(&GovernorLimits::protect, std::vector<std::string>{"sshd"})};
    const auto admitted = governor.admit(ghost_of(1, {}), noon);
    ASSERT_FALSE(admitted);
    EXPECT_EQ(code(admitted), ErrorCode::denied);
    EXPECT_EQ(admitted.error().message, "who holds it is not known, and may be protected");
    EXPECT_TRUE(Governor{generous}.admit(ghost_of(1, {}), noon)) << "without a list there is nothing to miss";
}

TEST(Governor, protects_what_a_process_holds_of_which_nothing_is_known) {
    const auto ghost = ghost_of(1, held_by({.pid = 7, .unit = "", .known = false}));
    const Governor governor{with(&GovernorLimits::protect, std::vector<std::string>{"sshd"})};
    EXPECT_EQ(governor.protection(ghost), "nothing is known of the process 7, which holds it");
    EXPECT_TRUE(Governor{generous}.admit(ghost, noon)) << "without a list there is nothing to miss";
}

/// Units that have said something, and how often they were asked.
class SomeUnits final : public UnitSettings {
public:
    explicit SomeUnits(std::map<std::string, std::string, std::less<>> wishes) : wishes_{std::move(wishes)} {}

    std::optional<std::string> why_left_alone(std::string_view unit) override {
        asked_.emplace_back(unit);
        const auto wish = wishes_.find(unit);
        return wish == wishes_.end() ? std::nullopt : std::optional{wish->second};
    }

    [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }

private:
    std::map<std::string, std::string, std::less<>> wishes_;
    std::vector<std::string> asked_;
};

TEST(Governor, protects_what_a_unit_wants_to_be_left_alone_with) {
    SomeUnits units{{{"db.service", "its unit db.service says so"}}};
    const Governor governor{generous, &units};
    const auto admitted = governor.admit(ghost_of(1, held_by({.unit = "db.service"})), noon);
    ASSERT_FALSE(admitted);
    EXPECT_EQ(admitted.error(), (Error{ErrorCode::denied, "its unit db.service says so"}));
    EXPECT_TRUE(governor.admit(ghost_of(2, held_by({.unit = "app.service"})), noon));
}

TEST(Governor, asks_the_units_of_all_holders) {
    SomeUnits units{{{"db.service", "its unit db.service says so"}}};
    const Governor governor{generous, &units};
    auto holders = held_by({.pid = 1, .unit = "app.service"});
    holders.push_back(held_by({.pid = 2, .unit = "db.service"}).front());
    EXPECT_EQ(governor.protection(ghost_of(1, holders)), "its unit db.service says so");
}

TEST(Governor, asks_the_units_around_a_unit_too) {
    SomeUnits units{{{"user@1000.service", "said around it"}, {"shop.slice", "said by the slice"}}};
    const Governor governor{generous, &units};
    EXPECT_EQ(governor.protection(ghost_of(
                  1, held_by({.unit = "app.service", .around = {"user.slice", "user@1000.service"}}))),
              "said around it");
    EXPECT_EQ(governor.protection(ghost_of(2, held_by({.unit = "", .around = {"shop.slice"}}))),
              "said by the slice");
    EXPECT_EQ(governor.protection(ghost_of(3, held_by({.unit = "app.service", .around = {"system.slice"}}))),
              std::nullopt);
    EXPECT_THAT(units.asked(), testing::ElementsAre("app.service", "user@1000.service", "shop.slice",
                                                    "app.service", "system.slice"));
}

TEST(Governor, takes_a_process_without_a_name_for_one_whose_unit_may_have_a_wish) {
    SomeUnits units{{}};
    const Governor governor{generous, &units};
    EXPECT_FALSE(governor.admit(ghost_of(1, held_by({.known = false})), noon));
    EXPECT_THAT(units.asked(), testing::IsEmpty());
}

TEST(Governor, lets_so_many_acts_a_minute_through_and_no_more) {
    Governor governor{with(&GovernorLimits::acts_per_minute, 2U)};
    governor.note_act(ghost_of(1), noon);
    EXPECT_TRUE(governor.admit(ghost_of(2), noon + 10s));
    governor.note_act(ghost_of(2), noon + 10s);

    const auto admitted = governor.admit(ghost_of(3), noon + 20s);
    ASSERT_FALSE(admitted);
    EXPECT_EQ(code(admitted), ErrorCode::busy);
    EXPECT_EQ(governor.opens_at(noon + 20s), noon + 60s);
    EXPECT_EQ(governor.opens_at(ghost_of(3), noon + 20s), noon + 60s);
    EXPECT_FALSE(governor.admit(ghost_of(3), noon + 60s - 1ns));
    EXPECT_TRUE(governor.admit(ghost_of(3), noon + 60s));

    // The window slides: the second act is still in it.
    governor.note_act(ghost_of(3), noon + 60s);
    EXPECT_FALSE(governor.admit(ghost_of(4), noon + 61s));
    EXPECT_EQ(governor.opens_at(noon + 61s), noon + 70s);
}

TEST(Governor, asking_is_not_acting) {
    const Governor governor{with(&GovernorLimits::acts_per_minute, 1U)};
    EXPECT_TRUE(governor.admit(ghost_of(1), noon));
    EXPECT_TRUE(governor.admit(ghost_of(1), noon));
}

TEST(Governor, opens_later_when_the_cap_is_lowered_below_what_was_done) {
    Governor governor{generous};
    for (GhostId id = 1; id <= 5; ++id) {
        governor.note_act(ghost_of(id), noon + id * 1s);
    }
    governor.set_limits(with(&GovernorLimits::acts_per_minute, 2U));
    EXPECT_EQ(governor.opens_at(noon + 10s), noon + 64s);
}

TEST(Governor, counts_each_unit_for_itself) {
    Governor governor{with(&GovernorLimits::acts_per_minute_per_unit, 1U)};
    const auto first = held_by({.unit = "a.service"});
    const auto second = held_by({.unit = "b.service"});
    governor.note_act(ghost_of(1, first), noon);

    const auto admitted = governor.admit(ghost_of(2, first), noon + 59s);
    ASSERT_FALSE(admitted);
    EXPECT_EQ(code(admitted), ErrorCode::busy);
    EXPECT_THAT(admitted.error().message, testing::HasSubstr("a.service"));
    EXPECT_EQ(governor.opens_at(ghost_of(2, first), noon + 59s), noon + 60s);
    EXPECT_EQ(governor.opens_at(noon + 59s), noon + 59s);
    EXPECT_TRUE(governor.admit(ghost_of(3, second), noon));
    EXPECT_TRUE(governor.admit(ghost_of(2, first), noon + 60s));
}

TEST(Governor, counts_an_act_for_every_unit_that_it_touched) {
    Governor governor{with(&GovernorLimits::acts_per_minute_per_unit, 1U)};
    auto both = held_by({.unit = "a.service"});
    both.push_back(held_by({.unit = "b.service"}).front());
    governor.note_act(ghost_of(1, both), noon);
    EXPECT_FALSE(governor.admit(ghost_of(2, held_by({.unit = "a.service"})), noon));
    EXPECT_FALSE(governor.admit(ghost_of(3, held_by({.unit = "b.service"})), noon));
}

TEST(Governor, counts_a_unit_once_however_many_of_its_processes_hold_the_ghost) {
    Governor governor{with(&GovernorLimits::acts_per_minute_per_unit, 2U)};
    auto two = held_by({.pid = 1, .unit = "a.service"});
    two.push_back(held_by({.pid = 2, .unit = "a.service"}).front());
    governor.note_act(ghost_of(1, two), noon);
    EXPECT_TRUE(governor.admit(ghost_of(2, two), noon));
}

TEST(Governor, takes_what_is_outside_of_any_unit_for_one_unit) {
    Governor governor{with(&GovernorLimits::acts_per_minute_per_unit, 1U)};
    governor.note_act(ghost_of(1, {}), noon);
    EXPECT_FALSE(governor.admit(ghost_of(2, {}), noon));
    EXPECT_FALSE(governor.admit(ghost_of(3, held_by({.unit = ""})), noon));
    EXPECT_TRUE(governor.admit(ghost_of(4, held_by({.unit = "a.service"})), noon));
}

TEST(Governor, leaves_a_ghost_alone_after_a_failure) {
    Governor governor{with(&GovernorLimits::cooldown, Span{10min})};
    governor.note_failure(ghost_of(1), noon);
    const auto admitted = governor.admit(ghost_of(1), noon + 9min);
    ASSERT_FALSE(admitted);
    EXPECT_EQ(code(admitted), ErrorCode::busy);
    EXPECT_EQ(governor.opens_at(ghost_of(1), noon + 9min), noon + 10min);
    EXPECT_EQ(governor.cool_at(ghost_of(1), noon + 9min), noon + 10min);
    EXPECT_TRUE(governor.admit(ghost_of(1), noon + 10min));
    EXPECT_TRUE(governor.admit(ghost_of(2), noon));
    EXPECT_EQ(governor.cool_at(ghost_of(2), noon), noon);
}

TEST(Governor, each_further_failure_doubles_the_cooldown) {
    Governor governor{with(&GovernorLimits::cooldown, Span{10min})};
    const Ghost ghost = ghost_of(1);
    Instant now = noon;
    for (const Span cooldown : {10min, 20min, 40min, 80min}) {
        governor.note_failure(ghost, now);
        EXPECT_EQ(governor.cool_at(ghost, now), now + cooldown);
        now += cooldown;
        EXPECT_EQ(governor.cool_at(ghost, now), now) << "it is over";
    }
    for (int times = 0; times < 100; ++times) {
        governor.note_failure(ghost, now);
    }
    EXPECT_EQ(governor.cool_at(ghost, now), now + 24h);
    now += 48h;
    governor.note_failure(ghost, now);
    EXPECT_EQ(governor.cool_at(ghost, now), now + 10min) << "that was long ago";
}

TEST(Governor, a_longer_cooldown_than_the_longest_stays_as_it_is) {
    Governor governor{with(&GovernorLimits::cooldown, Span{48h})};
    for (int times = 0; times < 3; ++times) {
        governor.note_failure(ghost_of(1), noon);
        EXPECT_EQ(governor.cool_at(ghost_of(1), noon), noon + 48h);
    }
}

TEST(Governor, a_ghost_that_comes_again_has_not_cooled_down_by_that) {
    Governor governor{with(&GovernorLimits::cooldown, forever)};
    auto ghost = ghost_of(1);
    governor.note_failure(ghost, noon);
    ghost.id = 2;
    EXPECT_EQ(governor.cool_at(ghost, noon), end_of_time);
}

TEST(Governor, shows_that_its_limits_are_others) {
    Governor governor{generous};
    const auto before = governor.revision();
    governor.set_limits(generous);
    EXPECT_NE(governor.revision(), before);
}

TEST(GovernorLimits, are_read_from_their_section) {
    OptionValues section{governor_options()};
    ASSERT_TRUE(section.set("Paused", "yes"));
    ASSERT_TRUE(section.set("ActsPerMinute", "7"));
    ASSERT_TRUE(section.set("ActsPerMinutePerUnit", "3"));
    ASSERT_TRUE(section.set("Cooldown", "1h"));
    ASSERT_TRUE(section.set("Protect", "a* 'b c'"));
    EXPECT_EQ(governor_limits(section), (GovernorLimits{.paused = true,
                                                        .acts_per_minute = 7,
                                                        .acts_per_minute_per_unit = 3,
                                                        .cooldown = 1h,
                                                        .protect = {"a*", "b c"}}));
}

class ByDefault : public testing::TestWithParam<test::ProcessTraits> {
protected:
    const Governor governor_{governor_limits(OptionValues{governor_options()})};
};

TEST_P(ByDefault, protects_what_the_machine_and_its_administrator_hang_on) {
    EXPECT_FALSE(governor_.admit(ghost_of(1, held_by(GetParam())), noon));
}

INSTANTIATE_TEST_SUITE_P(
    vital, ByDefault,
    testing::Values(test::ProcessTraits{.pid = 1, .comm = "systemd", .unit = "init.scope"},
                    test::ProcessTraits{.comm = "journal", .unit = "systemd-journald.service"},
                    test::ProcessTraits{.comm = "sshd-session", .unit = "session-3.scope"},
                    test::ProcessTraits{.comm = "dbus-daemon", .unit = "dbus.service"},
                    test::ProcessTraits{.comm = "eghostbusterd"}));

TEST(GovernorLimits, are_moderate_by_default) {
    const auto limits = governor_limits(OptionValues{governor_options()});
    EXPECT_FALSE(limits.paused);
    EXPECT_LE(limits.acts_per_minute_per_unit, limits.acts_per_minute);
    EXPECT_LE(limits.acts_per_minute, 100);
    EXPECT_GE(limits.cooldown, 1min);
    EXPECT_TRUE(Governor{limits}.admit(ghost_of(1), noon));
}

} // namespace
} // namespace egb::engine
