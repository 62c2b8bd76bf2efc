// SPDX-License-Identifier: Apache-2.0
#include "sinks/journal_sink.hpp"

#include "core/kind_info.hpp"
#include "harness/fake_clock.hpp"
#include "sinks/message_ids.hpp"
#include "sinks/signal_budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

namespace egb::sinks {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr KindInfo tcp{
    .name = "tcp", .summary = "", .reach = Reach::cleans, .options = {}, .evidence = {}, .capabilities = {}};

ProcessPtr process(std::int32_t pid, std::string comm, std::string unit) {
    return std::make_shared<const Process>(Process{.id = {.boot_id = "boot", .pid = pid, .start_ticks = 1},
                                                   .uid = 33,
                                                   .comm = std::move(comm),
                                                   .exe = "/usr/sbin/server",
                                                   .unit = std::move(unit),
                                                   .container = ""});
}

class JournalSinkTest : public testing::Test {
protected:
    JournalSinkTest() {
        ghost_.id = 17;
        ghost_.kind = &tcp;
        ghost_.key = "cookie 42";
        ghost_.grade = Grade::proven;
        ghost_.summary = "CLOSE_WAIT 10.0.0.1:80";
        ghost_.since = clock_.now();
        ghost_.holders = {Holder{.process = process(123, "nginx", "nginx.service"), .fd = 9}};
        clock_.advance(std::chrono::seconds{2});
    }

    [[nodiscard]] Incident incident(IncidentType type) const {
        Incident incident;
        incident.type = type;
        incident.at = clock_.wall_now();
        incident.ghost = std::make_shared<const Ghost>(ghost_);
        return incident;
    }

    /// The second of a flood is over.
    void end_of_window() {
        clock_.advance(SignalBudget::window);
        sink_.flush();
    }

    [[nodiscard]] JournalEntry entry(const Incident& incident) const {
        return journal_entry(incident, clock_);
    }

    test::FakeClock clock_;
    Ghost ghost_;
    std::vector<JournalEntry> sent_;
    loop::EventLoop loop_;
    JournalSink sink_{loop_, clock_, [this](std::span<const std::string> entry) {
                          sent_.emplace_back(entry.begin(), entry.end());
                      }};
};

TEST_F(JournalSinkTest, AnEntryNamesTheGhostAndItsHolder) {
    EXPECT_THAT(entry(incident(IncidentType::appeared)),
                testing::UnorderedElementsAre(
                    "MESSAGE=tcp ghost 17 appeared, proven: CLOSE_WAIT 10.0.0.1:80, held by nginx[123] of "
                    "nginx.service",
                    "MESSAGE_ID=30dd0e45929b464ea618d37d9002b52c", "PRIORITY=5", "GHOST_INCIDENT=appeared",
                    "GHOST_ID=17", "GHOST_KIND=tcp", "GHOST_GRADE=proven", "GHOST_KEY=cookie 42",
                    "GHOST_SUMMARY=CLOSE_WAIT 10.0.0.1:80", "GHOST_AGE_USEC=2000000", "GHOST_HOLDERS=1",
                    "GHOST_PID=123", "GHOST_UID=33", "GHOST_COMM=nginx", "GHOST_EXE=/usr/sbin/server",
                    "GHOST_UNIT=nginx.service", "GHOST_FD=9"));
}

TEST_F(JournalSinkTest, EachHolderHasItsFields) {
    ghost_.holders.push_back(Holder{.process = process(124, "worker", ""), .fd = -1});
    const auto fields = entry(incident(IncidentType::appeared));
    EXPECT_THAT(fields, Contains("GHOST_PID=123"));
    EXPECT_THAT(fields, Contains("GHOST_PID=124"));
    EXPECT_THAT(fields, Contains("GHOST_HOLDERS=2"));
    EXPECT_THAT(fields, Contains(StartsWith("GHOST_FD=")).Times(1)) << "an unknown descriptor is no field";
    EXPECT_THAT(fields.front(), HasSubstr("nginx.service and 1 more"));
}

TEST_F(JournalSinkTest, AnEntryStaysSmallWhateverTheNumberOfHolders) {
    ghost_.holders.assign(1000, ghost_.holders.front());
    const auto fields = entry(incident(IncidentType::appeared));
    EXPECT_THAT(fields, Contains("GHOST_PID=123").Times(16));
    EXPECT_THAT(fields, Contains("GHOST_HOLDERS=1000"));
}

TEST_F(JournalSinkTest, AGhostOfNobodyHasNoHolderFields) {
    ghost_.holders.clear();
    const auto fields = entry(incident(IncidentType::appeared));
    EXPECT_EQ(fields.front(), "MESSAGE=tcp ghost 17 appeared, proven: CLOSE_WAIT 10.0.0.1:80");
    EXPECT_THAT(fields, Not(Contains(StartsWith("GHOST_PID="))));
}

TEST_F(JournalSinkTest, AnActSaysWhatCameOfItAndWhoWantedIt) {
    Incident act = incident(IncidentType::acted);
    act.outcome = {.verdict = Verdict::failed, .reason = "still there"};
    act.actor = "uid 1000";
    const auto fields = entry(act);
    EXPECT_EQ(fields.front(),
              "MESSAGE=tcp ghost 17 could not be cleaned: CLOSE_WAIT 10.0.0.1:80 (still there)");
    EXPECT_THAT(fields, Contains("OUTCOME=failed"));
    EXPECT_THAT(fields, Contains("REASON=still there"));
    EXPECT_THAT(fields, Contains("ACTOR=uid 1000"));
    EXPECT_THAT(fields, Contains("PRIORITY=4"));
}

TEST_F(JournalSinkTest, WhatIsPendingNamesItsVetoWindow) {
    Incident pending = incident(IncidentType::pending);
    pending.action = Action::clean;
    pending.until_act = std::chrono::seconds{30};
    EXPECT_THAT(entry(pending).front(), HasSubstr("will be cleaned in 30s unless somebody objects"));
    pending.action = Action::ask;
    EXPECT_THAT(entry(pending).front(), HasSubstr("will be asked in 30s unless somebody objects"));
    EXPECT_THAT(entry(pending), Not(Contains(StartsWith("OUTCOME="))));
}

TEST_F(JournalSinkTest, WhatVanishedSaysWhy) {
    Incident vanished = incident(IncidentType::vanished);
    vanished.outcome = {.verdict = Verdict::gone, .reason = "closed by its holder"};
    EXPECT_THAT(entry(vanished).front(),
                HasSubstr("went by itself: CLOSE_WAIT 10.0.0.1:80 (closed by its holder)"));
    EXPECT_THAT(entry(vanished), Contains("PRIORITY=6"));
    EXPECT_THAT(entry(vanished), Not(Contains(StartsWith("OUTCOME="))));
}

TEST_F(JournalSinkTest, TheKindsOwnFactsBecomeFields) {
    Incident appeared = incident(IncidentType::appeared);
    appeared.facts = [] {
        return Fields{
            {"state", std::string{"close-wait"}}, {"rx_queue", std::uint64_t{3}}, {"orphan", false}};
    };
    const auto fields = entry(appeared);
    EXPECT_THAT(fields, Contains("GHOST_STATE=close-wait"));
    EXPECT_THAT(fields, Contains("GHOST_RX_QUEUE=3"));
    EXPECT_THAT(fields, Contains("GHOST_ORPHAN=false"));
}

TEST_F(JournalSinkTest, FiftyGhostsAreFiftyEntries) {
    for (int count = 0; count < 50; ++count) {
        sink_.record(incident(IncidentType::appeared));
    }
    end_of_window();
    EXPECT_THAT(sent_, SizeIs(50));
}

TEST_F(JournalSinkTest, AFloodIsToldInOneEntryMore) {
    for (int count = 0; count < 20'000; ++count) {
        const bool rare = count % 100 == 0;
        ghost_.holders = {
            Holder{.process = rare ? process(7, "java", "") : process(8, "nginx", "nginx.service")}};
        sink_.record(incident(IncidentType::appeared));
    }
    sink_.record(incident(IncidentType::vanished));
    end_of_window();

    ASSERT_THAT(sent_, SizeIs(50 + 1 + 1));
    EXPECT_THAT(sent_.back(), testing::UnorderedElementsAre(
                                  "MESSAGE=19950 more tcp ghosts (appeared), most of them held by "
                                  "nginx.service (19751), java (199)",
                                  "MESSAGE_ID=4fd64d161dd94c2890a64c2640ba66f3", "PRIORITY=5",
                                  "GHOST_KIND=tcp", "GHOST_INCIDENT=appeared", "GHOST_COUNT=19950",
                                  "GHOST_MOST=nginx.service (19751), java (199)"));
}

TEST_F(JournalSinkTest, EachSecondHasItsOwnAllowance) {
    for (int second = 0; second < 2; ++second) {
        for (int count = 0; count < 51; ++count) {
            sink_.record(incident(IncidentType::appeared));
        }
        end_of_window();
    }
    EXPECT_THAT(sent_, SizeIs(2 * 51));
}

TEST_F(JournalSinkTest, BatchesOfOneSecondShareItsAllowance) {
    for (int batch = 0; batch < 100; ++batch) {
        sink_.record(incident(IncidentType::appeared));
        sink_.flush();
    }
    EXPECT_THAT(sent_, SizeIs(50));
    end_of_window();
    EXPECT_THAT(sent_, SizeIs(51));
    EXPECT_THAT(sent_.back(), Contains("GHOST_COUNT=50"));
}

TEST_F(JournalSinkTest, EachOfManyActsIsALineAtTheEndOfTheirBatch) {
    Incident act = incident(IncidentType::acted);
    act.outcome = {.verdict = Verdict::cleaned, .reason = "destroyed"};
    act.actor = "policy";
    for (int count = 0; count < 200; ++count) {
        sink_.record(act);
    }
    EXPECT_THAT(sent_, SizeIs(50));
    sink_.flush();
    ASSERT_THAT(sent_, SizeIs(51));
    EXPECT_THAT(sent_.back(), Contains("GHOST_COUNT=150"));
    EXPECT_THAT(sent_.back(), Contains("OUTCOME=cleaned"));
    const auto acts = std::ranges::find_if(sent_.back(), [](const std::string& field) {
        return field.starts_with("GHOST_ACTS=");
    });
    ASSERT_NE(acts, sent_.back().end());
    EXPECT_EQ(std::ranges::count(*acts, '\n'), 150);
    EXPECT_THAT(*acts, testing::EndsWith("17 cookie 42: CLOSE_WAIT 10.0.0.1:80, held by nginx[123] of "
                                         "nginx.service (destroyed), by policy\n"));
    end_of_window();
    EXPECT_THAT(sent_, SizeIs(51)) << "each is told once";
}

TEST_F(JournalSinkTest, ActsOfDifferentFateAreListedApart) {
    for (const Verdict verdict : {Verdict::cleaned, Verdict::refused}) {
        Incident act = incident(IncidentType::acted);
        act.outcome.verdict = verdict;
        for (int count = 0; count < 51; ++count) {
            sink_.record(act);
        }
    }
    sink_.flush();
    EXPECT_THAT(sent_, SizeIs(2 * (50 + 1)));
}

TEST_F(JournalSinkTest, ThoseHeldByNobodyAreCountedToo) {
    ghost_.holders.clear();
    for (int count = 0; count < 60; ++count) {
        sink_.record(incident(IncidentType::appeared));
    }
    end_of_window();
    EXPECT_THAT(sent_.back(), Contains("GHOST_MOST=nobody known (10)"));
}

// The catalog and the table of ids say the same.

std::string catalog() {
    const auto path = std::filesystem::path{EGB_UNITS_FOLDER} / "eghostbuster.catalog";
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::set<std::string> all_matches(const std::string& text, const std::regex& pattern) {
    std::set<std::string> found;
    for (auto match = std::sregex_iterator{text.begin(), text.end(), pattern};
         match != std::sregex_iterator{}; ++match) {
        found.insert((*match)[1]);
    }
    return found;
}

TEST(Catalog, ExplainsEveryMessageIdAndNoOther) {
    std::set<std::string> ids{std::string{flood_message_id}};
    for (const MessageId& message : incident_message_ids) {
        ids.emplace(message.id);
    }
    EXPECT_THAT(ids, SizeIs(incident_message_ids.size() + 1)) << "no id stands for two things";
    EXPECT_THAT(ids, testing::Each(testing::MatchesRegex("[0-9a-f]{32}")));
    EXPECT_EQ(all_matches(catalog(), std::regex{"(?:^|\n)-- ([0-9a-f]+)\n"}), ids);
}

TEST_F(JournalSinkTest, TheCatalogRefersToFieldsThatEntriesHave) {
    std::set<std::string> fields;
    const auto collect = [&fields](const JournalEntry& entry) {
        for (const std::string& field : entry) {
            fields.insert(field.substr(0, field.find('=')));
        }
    };
    Incident act = incident(IncidentType::acted);
    act.outcome.reason = "because";
    act.actor = "policy";
    collect(entry(act));
    for (int count = 0; count < 51; ++count) {
        sink_.record(incident(IncidentType::appeared));
    }
    end_of_window();
    collect(sent_.back());

    const auto named = all_matches(catalog(), std::regex{"@([A-Z_]+)@"});
    ASSERT_THAT(named, Not(testing::IsEmpty()));
    for (const std::string& name : named) {
        EXPECT_THAT(fields, Contains(name));
    }
}

} // namespace
} // namespace egb::sinks
