// SPDX-License-Identifier: Apache-2.0
#include "sinks/bus_sink.hpp"

#include "core/format.hpp"
#include "core/kind_info.hpp"
#include "harness/fake_clock.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace egb::sinks {
namespace {

constexpr KindInfo tcp{
    .name = "tcp", .summary = {}, .reach = Reach::cleans, .options = {}, .evidence = {}, .capabilities = {}};

/// Writes down what it is told to emit.
class RecordedSignals final : public bus::Signals {
public:
    void ghost_appeared(const Ghost& ghost, std::uint32_t more) override {
        lines.push_back(formatted("appeared {} {}", ghost.id, more));
    }
    void action_pending(const Ghost& ghost, Span until_act, std::uint32_t more) override {
        lines.push_back(formatted("pending {} {} {}", ghost.id, until_act, more));
    }
    void ghost_cleaned(const Ghost& ghost, const Outcome& outcome, std::uint32_t more) override {
        lines.push_back(formatted("cleaned {} {} {}", ghost.id, outcome.reason, more));
    }
    void ghost_vanished(const Ghost& ghost, std::string_view reason, std::uint32_t more) override {
        lines.push_back(formatted("vanished {} {} {}", ghost.id, reason, more));
    }

    std::vector<std::string> lines;
};

class BusSinkTest : public testing::Test {
protected:
    void record(IncidentType type, GhostId id) {
        auto ghost = std::make_shared<Ghost>();
        ghost->id = id;
        ghost->kind = &tcp;
        Incident incident;
        incident.type = type;
        incident.ghost = std::move(ghost);
        incident.outcome = {.verdict = Verdict::gone, .reason = "went"};
        incident.until_act = 5s;
        sink_.record(incident);
    }

    test::FakeClock clock_;
    RecordedSignals signals_;
    loop::EventLoop loop_;
    BusSink sink_{loop_, clock_, signals_};
};

TEST_F(BusSinkTest, EmitsABatchAtItsEnd) {
    record(IncidentType::appeared, 1);
    record(IncidentType::pending, 1);
    record(IncidentType::acted, 1);
    record(IncidentType::vanished, 2);
    record(IncidentType::changed, 3);
    EXPECT_TRUE(signals_.lines.empty());

    sink_.flush();
    const std::vector<std::string> expected{"appeared 1 0", formatted("pending 1 {} 0", Span{5s}),
                                            "cleaned 1 went 0", "vanished 2 went 0", "appeared 3 0"};
    EXPECT_EQ(signals_.lines, expected);

    sink_.flush();
    EXPECT_EQ(signals_.lines.size(), 5U);
}

TEST_F(BusSinkTest, TellsTheRestOfAFloodOnceItsSecondIsOver) {
    for (GhostId id = 1; id <= 60; ++id) {
        record(IncidentType::appeared, id);
    }
    sink_.flush();
    EXPECT_EQ(signals_.lines.size(), SignalBudget::most_singles);

    clock_.advance(SignalBudget::window);
    sink_.flush();
    EXPECT_EQ(signals_.lines.back(), "appeared 60 9");
}

} // namespace
} // namespace egb::sinks
