// SPDX-License-Identifier: Apache-2.0
// Signals as somebody on the bus hears them: one by one when there are few, a trickle when there is a flood.
#include "contract/client.hpp"
#include "contract/served_bus.hpp"
#include "harness/builders.hpp"
#include "harness/fake_kind.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <numeric>
#include <string>

using namespace std::chrono_literals;

namespace egb::test {
namespace {

using testing::SizeIs;

class SignalsTest : public testing::Test {
protected:
    /// As the ledger does it: a batch of incidents, then its end.
    void tell(IncidentType type, GhostId first, GhostId last) {
        served_.on_loop([&] {
            for (auto id = first; id <= last; ++id) {
                served_.sink().record(incident(type, id));
            }
            served_.sink().flush();
        });
    }

    static Incident incident(IncidentType type, GhostId id) {
        Ghost ghost = make_ghost(std::to_string(id));
        ghost.id = id;
        ghost.kind = &fake_info();
        Incident incident;
        incident.type = type;
        incident.ghost = std::make_shared<const Ghost>(std::move(ghost));
        incident.outcome = {.verdict = Verdict::refused, .reason = "it is in use again"};
        incident.until_act = 5s;
        return incident;
    }

    [[nodiscard]] const std::vector<SeenSignal>& seen() { return client_.manager().signals(); }

    /// Ghosts that the signals seen so far stand for.
    [[nodiscard]] std::uint64_t told() {
        return std::accumulate(seen().begin(), seen().end(), std::uint64_t{},
                               [](std::uint64_t sum, const SeenSignal& signal) {
                                   return sum + 1 + signal.more;
                               });
    }

    PrivateBus bus_;
    ServedBus served_{bus_};
    Client client_{bus_, nobody};
};

TEST_F(SignalsTest, SayWhatHappened) {
    for (const auto type : {IncidentType::appeared, IncidentType::pending, IncidentType::acted,
                            IncidentType::vanished, IncidentType::changed}) {
        tell(type, 7, 7);
    }
    client_.catch_up();
    ASSERT_THAT(seen(), SizeIs(5));
    const auto shown = [this](std::size_t index) {
        return seen()[index].name + " " + seen()[index].text;
    };
    EXPECT_EQ(shown(0), "GhostAppeared suspected something called 7");
    EXPECT_EQ(shown(1), "ActionPending something called 7 5000000");
    EXPECT_EQ(shown(2), "GhostCleaned refused it is in use again");
    EXPECT_EQ(shown(3), "GhostVanished it is in use again");
    EXPECT_EQ(shown(4), "GhostAppeared suspected something called 7");
    for (const auto& signal : seen()) {
        EXPECT_EQ(signal.id, 7U);
        EXPECT_EQ(signal.kind, "fake");
        EXPECT_EQ(signal.more, 0U);
    }
}

TEST_F(SignalsTest, OfAFloodOfGhostsAreATrickleThatStandsForAllOfThem) {
    constexpr GhostId flood = 20'000;
    constexpr std::size_t most = sinks::SignalBudget::most_singles + 1;
    for (GhostId first = 1; first <= flood; first += 1'000) {
        tell(IncidentType::appeared, first, first + 999);
    }
    ASSERT_TRUE(client_.wait_until([this] {
        return told() >= flood;
    }));
    EXPECT_EQ(told(), flood);
    // A slow machine may take more than a second for the flood itself; then there are more trickles than one.
    EXPECT_GE(seen().size(), most);
    EXPECT_LE(seen().size(), 5 * most);
    EXPECT_GT(seen().back().more, 0U);
    EXPECT_EQ(seen().back().id, flood);
}

TEST_F(SignalsTest, OfAFloodDoNotHoldUpTheCallers) {
    tell(IncidentType::vanished, 1, 20'000);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(client_.manager().Version(), "1.2.3");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 500ms);
}

} // namespace
} // namespace egb::test
