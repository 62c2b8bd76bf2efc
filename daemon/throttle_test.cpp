// SPDX-License-Identifier: Apache-2.0
#include "throttle.hpp"

#include "host/monotonic_clock.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace egb {
namespace {

using std::chrono::milliseconds;

class ThrottleTest : public testing::Test {
protected:
    /// Runs the loop until the throttled action has been done so often.
    void run_until(std::size_t times) {
        wanted_ = times;
        loop_.run();
    }

    host::MonotonicClock clock_;
    loop::EventLoop loop_;
    std::vector<Instant> done_;
    std::size_t wanted_{};
    Throttle throttle_{loop_, clock_, milliseconds{50}, [this] {
                           done_.push_back(clock_.now());
                           if (done_.size() == wanted_) {
                               loop_.stop(0);
                           }
                       }};
};

TEST_F(ThrottleTest, TheFirstRequestIsDoneAtOnce) {
    throttle_.request();
    EXPECT_EQ(done_.size(), 1U);
}

TEST_F(ThrottleTest, ManyRequestsAreDoneOnceWhenTheIntervalIsOver) {
    throttle_.request();
    for (int count = 0; count < 100; ++count) {
        throttle_.request();
    }
    EXPECT_EQ(done_.size(), 1U);
    run_until(2);
    EXPECT_GE(done_.at(1) - done_.at(0), milliseconds{50});
}

TEST_F(ThrottleTest, AfterAQuietIntervalARequestIsDoneAtOnceAgain) {
    throttle_.request();
    auto wait = loop_.timer(loop::Priority::timers, [this] {
        throttle_.request();
        EXPECT_EQ(done_.size(), 2U);
        loop_.stop(0);
    });
    loop_.arm(wait, later(clock_.now(), milliseconds{60}));
    loop_.run();
}

TEST_F(ThrottleTest, NothingIsDoneThatNobodyAskedFor) {
    throttle_.request();
    auto wait = loop_.timer(loop::Priority::timers, [this] {
        loop_.stop(0);
    });
    loop_.arm(wait, later(clock_.now(), milliseconds{150}));
    loop_.run();
    EXPECT_EQ(done_.size(), 1U);
}

} // namespace
} // namespace egb
