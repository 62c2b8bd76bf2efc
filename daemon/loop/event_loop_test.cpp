// SPDX-License-Identifier: Apache-2.0
#include "loop/event_loop.hpp"

#include "harness/notify_socket.hpp"
#include "host/fd.hpp"
#include "host/monotonic_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace egb::loop {

namespace {

using namespace std::chrono_literals;

/// Readable from the start, and until it is read.
class Readable {
public:
    [[nodiscard]] int fd() const { return fd_.get(); }
    void read() const {
        eventfd_t value{};
        ::eventfd_read(fd(), &value);
    }

private:
    host::Fd fd_{::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
};

class EventLoopTest : public testing::Test {
protected:
    [[nodiscard]] Instant in(Span span) const { return clock_.now() + span; }

    const host::MonotonicClock clock_;
    EventLoop loop_;
};

TEST_F(EventLoopTest, TakesATimerThatIsArmedAfterItsEnd) {
    auto timer = loop_.timer(Priority::timers, [] {});
    loop_.stop(0);
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_NO_THROW(loop_.arm(timer, in(1s)));
}

TEST_F(EventLoopTest, ReturnsTheCodeItWasStoppedWith) {
    loop_.stop(7);
    EXPECT_EQ(loop_.run(), 7);
}

TEST_F(EventLoopTest, CallsForAReadableDescriptor) {
    const Readable readable;
    int calls = 0;
    const auto source = loop_.on_readable(readable.fd(), Priority::events, [&] {
        if (++calls == 3) {
            loop_.stop(0);
        }
    });
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_EQ(calls, 3);
}

/// Both ends do not block.
struct Sockets {
    Sockets() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0) {
            ours.reset(ends[0]);
            theirs.reset(ends[1]);
        }
    }
    void fill() const {
        const std::string block(65'536, 'x');
        while (::write(ours.get(), block.data(), block.size()) > 0) {
        }
    }
    void empty() const {
        std::string block(65'536, ' ');
        while (::read(theirs.get(), block.data(), block.size()) > 0) {
        }
    }
    host::Fd ours;
    host::Fd theirs;
};

TEST_F(EventLoopTest, CallsForADescriptorOnceItCanBeWrittenTo) {
    const Sockets sockets;
    sockets.fill();
    bool read = false;
    const auto source = loop_.on_writable(sockets.ours.get(), Priority::events, [&] {
        EXPECT_TRUE(read) << "there was no room before that";
        loop_.stop(0);
    });
    auto reader = loop_.timer(Priority::timers, [&] {
        read = true;
        sockets.empty();
    });
    loop_.arm(reader, in(20ms));
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(EventLoopTest, CallsForADescriptorThatNobodyReadsAnyMore) {
    Sockets sockets;
    sockets.fill();
    const auto source = loop_.on_writable(sockets.ours.get(), Priority::events, [this] {
        loop_.stop(0);
    });
    sockets.theirs.reset();
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(EventLoopTest, HearsNothingOfASourceThatIsPausedAndThenAllOfIt) {
    const Readable readable;
    bool paused = true;
    auto source = loop_.on_readable(readable.fd(), Priority::events, [&] {
        EXPECT_FALSE(paused);
        loop_.stop(0);
    });
    loop_.pause(source);
    auto timer = loop_.timer(Priority::timers, [&] {
        paused = false;
        loop_.resume(source);
    });
    loop_.arm(timer, in(20ms));
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_FALSE(paused);
}

TEST_F(EventLoopTest, RefusesADescriptorThatIsNone) {
    EXPECT_THROW((void)loop_.on_readable(-1, Priority::events, [] {}), std::system_error);
}

TEST_F(EventLoopTest, ServesWhatIsVitalFirst) {
    std::vector<Readable> readables(3);
    std::vector<EventSource> sources;
    std::vector<Priority> order;
    for (const auto priority : {Priority::bus, Priority::vital, Priority::events}) {
        const auto& readable = readables[sources.size()];
        sources.push_back(loop_.on_readable(readable.fd(), priority, [&, priority] {
            readable.read();
            order.push_back(priority);
            if (order.size() == readables.size()) {
                loop_.stop(0);
            }
        }));
    }
    EXPECT_EQ(loop_.run(), 0);
    ASSERT_EQ(order.size(), 3U);
    EXPECT_EQ(order[0], Priority::vital);
}

TEST_F(EventLoopTest, AFloodStarvesNobodyElse) {
    const Readable flood; // never read: always ready
    const Readable quiet;
    const auto flooding = loop_.on_readable(flood.fd(), Priority::bus, [] {});
    const auto waiting = loop_.on_readable(quiet.fd(), Priority::sweeps, [&] {
        loop_.stop(0);
    });
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(EventLoopTest, DoesNotCallForASourceThatLeft) {
    const Readable readable;
    auto source = loop_.on_readable(readable.fd(), Priority::vital, [] {
        FAIL();
    });
    EXPECT_TRUE(source);
    source.reset();
    EXPECT_FALSE(source);
    const auto other = loop_.on_readable(readable.fd(), Priority::events, [&] {
        loop_.stop(0);
    });
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(EventLoopTest, LetsASourceLeaveFromItsOwnCallback) {
    const Readable readable;
    const Readable other;
    const auto alive = std::make_shared<int>();
    EventSource source;
    source = loop_.on_readable(readable.fd(), Priority::vital, [&source, copy = alive] {
        source.reset();
        EXPECT_EQ(copy.use_count(), 2);
    });
    EXPECT_EQ(alive.use_count(), 2);
    const auto last = loop_.on_readable(other.fd(), Priority::sweeps, [&] {
        loop_.stop(0);
    });
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(EventLoopTest, EndsWithTheExceptionOfACallback) {
    const Readable readable;
    int calls = 0;
    const auto source = loop_.on_readable(readable.fd(), Priority::vital, [&] {
        ++calls;
        throw std::runtime_error{"no more"};
    });
    EXPECT_THAT(
        [this] {
            loop_.run();
        },
        testing::ThrowsMessage<std::runtime_error>("no more"));
    EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, TimersAreOffUntilArmed) {
    auto unarmed = loop_.timer(Priority::vital, [] {
        FAIL();
    });
    auto disarmed = loop_.timer(Priority::vital, [] {
        FAIL();
    });
    loop_.arm(disarmed, clock_.now());
    loop_.disarm(disarmed);
    auto last = loop_.timer(Priority::timers, [&] {
        loop_.stop(0);
    });
    loop_.arm(last, in(20ms));
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(EventLoopTest, TimersFireOnceAndNotEarly) {
    const auto due = in(15ms) + 1ns;
    int calls = 0;
    auto timer = loop_.timer(Priority::timers, [&] {
        ++calls;
        EXPECT_GE(clock_.now(), due);
    });
    auto last = loop_.timer(Priority::timers, [&] {
        loop_.stop(0);
    });
    loop_.arm(timer, due);
    loop_.arm(last, in(60ms));
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, TimersCanBeArmedFromTheirOwnCallback) {
    int calls = 0;
    EventSource timer;
    timer = loop_.timer(Priority::timers, [&] {
        if (++calls == 3) {
            loop_.stop(0);
        } else {
            loop_.arm(timer, clock_.now());
        }
    });
    loop_.arm(timer, Instant{});
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_EQ(calls, 3);
}

TEST_F(EventLoopTest, TimersInTheFarFutureWait) {
    auto never = loop_.timer(Priority::vital, [] {
        FAIL();
    });
    loop_.arm(never, Instant::max());
    auto last = loop_.timer(Priority::timers, [&] {
        loop_.stop(0);
    });
    loop_.arm(last, in(5ms));
    EXPECT_EQ(loop_.run(), 0);
}

TEST_F(EventLoopTest, TakesSignals) {
    const auto source = loop_.on_signal(SIGUSR1, [&] {
        loop_.stop(SIGUSR1);
    });
    ::raise(SIGUSR1);
    EXPECT_EQ(loop_.run(), SIGUSR1);
}

class WatchdogTest : public EventLoopTest {
protected:
    WatchdogTest() {
        ::setenv("WATCHDOG_USEC", "10000", 1);
        ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    }
    void TearDown() override {
        ::unsetenv("WATCHDOG_USEC");
        ::unsetenv("WATCHDOG_PID");
    }

    const test::NotifySocket manager_;
};

TEST_F(WatchdogTest, IsFedForAsLongAsWeAreAlive) {
    int asked = 0;
    ASSERT_TRUE(loop_.watchdog([&] {
        if (++asked == 6) {
            loop_.stop(0);
        }
        return asked <= 3;
    }));
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_THAT(test::texts(manager_.received()),
                testing::ElementsAre("WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"));
}

TEST_F(WatchdogTest, IsFedAtOnceAndThenInTime) {
    ::setenv("WATCHDOG_USEC", "600000", 1);
    std::vector<Instant> fed;
    ASSERT_TRUE(loop_.watchdog([&] {
        fed.push_back(clock_.now());
        if (fed.size() == 2) {
            loop_.stop(0);
        }
        return true;
    }));
    const auto started = clock_.now();
    EXPECT_EQ(loop_.run(), 0);
    EXPECT_LT(fed.at(0) - started, 300ms);
    EXPECT_GE(fed.at(1) - fed.at(0), 150ms) << "no more often than that";
    EXPECT_LT(fed.at(1) - fed.at(0), 300ms) << "twice before systemd loses patience, and to spare";
}

TEST_F(WatchdogTest, IsNotWantedOutsideOfAService) {
    ::unsetenv("WATCHDOG_USEC");
    EXPECT_FALSE(loop_.watchdog([] {
        return true;
    }));
}

TEST_F(WatchdogTest, RefusesAnIntervalThatIsNone) {
    ::setenv("WATCHDOG_USEC", "soon", 1);
    EXPECT_THROW(loop_.watchdog([] {
        return true;
    }),
                 std::system_error);
}

} // namespace

} // namespace egb::loop
