// SPDX-License-Identifier: Apache-2.0
// Nonsense from the bus: whatever comes, every call is answered, nothing is left open and the objects live.
#include "contract/client.hpp"
#include "contract/mock_polkit.hpp"
#include "contract/nonsense.hpp"
#include "contract/served_bus.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>

namespace egb::test {
namespace {

constexpr std::uint32_t seed = 20'241'031;
constexpr int rounds = 4'000;

class FuzzTest : public testing::Test {
protected:
    static std::ptrdiff_t open_descriptors() {
        return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
    }

    void survive(uid_t uid) {
        Client client{bus_, uid};
        served_.on_loop([this] {
            served_.control().add_ghosts(50);
        });
        const auto all = targets(client);
        ASSERT_GT(all.size(), 14U);
        // The first variant of a process makes sdbus-c++ open what it keeps for all of them.
        (void)client.manager().ListGhosts({{"kind", sdbus::Variant{"fake"}}}, 0, 0);
        const auto descriptors = open_descriptors();
        Nonsense nonsense{seed};
        for (int round = 0; round < rounds; ++round) {
            ASSERT_TRUE(nonsense.is_answered(client, all)) << "round " << round << ": " << nonsense.last();
        }
        client.catch_up();
        EXPECT_EQ(client.manager().Version(), "1.2.3");
        EXPECT_LE(open_descriptors(), descriptors);
    }

    PrivateBus bus_;
    ServedBus served_{bus_, bus::Allowance{.burst = 1e9, .per_second = 1e9}};
};

TEST_F(FuzzTest, NonsenseFromRootIsAnswered) {
    survive(0);
}

TEST_F(FuzzTest, NonsenseFromAnybodyIsAnsweredAndChangesNothing) {
    const MockPolkit polkit{bus_, MockPolkit::Mood::deny};
    survive(nobody);
    const auto is_change = [](const std::string& act) {
        return act != "who-owns";
    };
    EXPECT_FALSE(std::ranges::any_of(served_.acts(), is_change));
}

} // namespace
} // namespace egb::test
