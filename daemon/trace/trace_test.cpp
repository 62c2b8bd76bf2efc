// SPDX-License-Identifier: Apache-2.0
// The watchers over a kernel side made of vectors: who gets what, who loses what, and who is gone.
#include "trace/trace.hpp"

#include "harness/fake_clock.hpp"
#include "harness/fake_events.hpp"
#include "harness/fake_procfs.hpp"
#include "harness/trace_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <systemd/sd-event.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace egb::trace {
namespace {

using nlohmann::json;
using namespace std::string_literals;
using test::TraceRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// What the kernel side was told, as far as a test asks.
struct Told {
    egb_trace_control control{};
    std::map<std::int32_t, std::uint64_t> followed;
    std::vector<std::string> units;
};

template <typename Context>
Context context_of(std::span<std::byte> bytes) {
    Context context{};
    std::memcpy(&context, bytes.data(), sizeof(context));
    return context;
}

class TraceTest : public testing::Test {
protected:
    std::unique_ptr<host::EventSource> make_events() {
        auto events = std::make_unique<test::FakeEvents>();
        events->answer("egb_trace_arm", [this](std::span<std::byte> context) {
            told_.control = context_of<egb_trace_control>(context);
            return 0U;
        });
        events->answer("egb_trace_follow", [this](std::span<std::byte> context) {
            const auto wanted = context_of<egb_trace_follow>(context);
            told_.followed[wanted.pid] |= wanted.filters;
            return 0U;
        });
        events->answer("egb_trace_unfollow", [this](std::span<std::byte> context) {
            const auto wanted = context_of<egb_trace_follow>(context);
            std::erase_if(told_.followed, [&wanted](auto& entry) {
                entry.second &= wanted.pid == 0 ? ~wanted.filters : entry.second;
                return entry.second == 0 || entry.first == wanted.pid;
            });
            return 0U;
        });
        events->answer("egb_trace_group", [this](std::span<std::byte> context) {
            const auto wanted = context_of<egb_trace_group>(context);
            told_.units.push_back((wanted.add != 0 ? "+"s : "-"s) +
                                  (wanted.id != 0 ? std::to_string(wanted.id) : std::string{wanted.unit}));
            return 0U;
        });
        if (refusal_) {
            events->fail_attach(*refusal_);
        }
        ++attached_;
        events_ = events.get();
        return events;
    }

    host::Fd watch(const Filter& filter = {}, std::uint32_t uid = 0) {
        auto socket = trace_.watch(filter, uid);
        EXPECT_TRUE(socket) << socket.error().message;
        return socket ? std::move(*socket) : host::Fd{};
    }

    /// Until there is nothing left to do.
    void turn() {
        while (sd_event_run(loop_.get(), 0) > 0) {
        }
    }

    void send(const TraceRecord& record) {
        events_->send_bytes(record.bytes());
        turn();
    }

    /// As much as there is at once when the ring was full.
    void flood() {
        for (int event = 0; event < 20; ++event) {
            events_->send_bytes(TraceRecord{.filters = 1}.bytes());
        }
        turn();
    }

    static std::string read(const host::Fd& socket) {
        std::string text;
        std::array<char, 65'536> block{};
        for (ssize_t got = 0; (got = ::read(socket.get(), block.data(), block.size())) > 0;) {
            text.append(block.data(), static_cast<std::size_t>(got));
        }
        return text;
    }

    /// "watching", "exec 100", ...
    static std::vector<std::string> lines(const host::Fd& socket) {
        std::vector<std::string> lines;
        std::istringstream text{read(socket)};
        for (std::string line; std::getline(text, line);) {
            const auto object = json::parse(line);
            const auto pid = object.contains("pid") ? " " + object["pid"].dump() : "";
            lines.push_back(object["event"].get<std::string>() + pid);
        }
        return lines;
    }

    void say(const host::Fd& socket, std::string_view text) {
        ASSERT_EQ(::write(socket.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
        turn();
    }

    test::FakeClock clock_;
    test::FakeProcFs proc_;
    host::ProcFs procfs_{proc_.root()};
    loop::EventLoop loop_;
    test::FakeEvents* events_{};
    int attached_{};
    std::optional<Error> refusal_;
    Told told_;
    Trace trace_{clock_, procfs_, loop_,
                 [this] {
                     return make_events();
                 },
                 Span::zero()};
};

TEST_F(TraceTest, IsInTheKernelOnlyWhileSomebodyWatches) {
    EXPECT_EQ(attached_, 0);
    auto one = watch();
    auto other = watch();
    EXPECT_EQ(attached_, 1);
    one.reset();
    turn();
    EXPECT_EQ(trace_.watchers(), 1U);
    EXPECT_EQ(told_.control.active, 2U);
    other.reset();
    turn();
    EXPECT_EQ(trace_.watchers(), 0U);
    EXPECT_EQ(told_.control.active, 0U);
    const auto again = watch();
    EXPECT_EQ(attached_, 2);
}

TEST_F(TraceTest, GreetsAndTellsEachWhatPassesHisFilter) {
    const auto one = watch();
    const auto other = watch();
    send({.filters = 1, .pid = 7});
    send({.type = EGB_TRACE_EXIT, .filters = 2, .pid = 8});
    send({.filters = 3, .pid = 9});
    send({.filters = 4, .pid = 10});
    EXPECT_THAT(lines(one), ElementsAre("watching", "exec 7", "exec 9"));
    EXPECT_THAT(lines(other), ElementsAre("watching", "exit 8", "exec 9"));
}

TEST_F(TraceTest, KnowsTheUnitOfAControlGroupThatItWasToldOf) {
    const auto socket = watch();
    events_->send_bytes(test::cgroup_record(5, "a.service\0system.slice\0"s));
    send({.cgroup = 5});
    EXPECT_THAT(read(socket), HasSubstr(R"("unit":"a.service")"));
}

TEST_F(TraceTest, TellsTheWorkingDirectoryToWhoeverAskedForIt) {
    const auto plain = watch();
    const auto with_cwd = watch({.cwd = true});
    EXPECT_EQ(told_.control.with_cwd, 2U);
    send({.filters = 3, .cwd = "home\0"s});
    EXPECT_THAT(read(plain), testing::Not(HasSubstr("cwd")));
    EXPECT_THAT(read(with_cwd), HasSubstr(R"("cwd":"/home")"));
}

TEST_F(TraceTest, OfASlowReaderLosesHisEventsAndNobodyElses) {
    const auto slow = watch();
    const auto quick = watch();
    std::size_t seen = 0;
    const std::string args(EGB_TRACE_ARGS, 'x');
    constexpr int events = 1'000;
    for (int event = 0; event < events; ++event) {
        send({.filters = 3, .args = args});
        seen += lines(quick).size();
    }
    EXPECT_EQ(seen, events + 1U);
    std::uint64_t got = 0;
    std::uint64_t lost = 0;
    std::string text;
    for (auto part = read(slow); !part.empty(); part = read(slow)) {
        text += part;
        turn();
    }
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) {
        const auto object = json::parse(line);
        got += object["event"] == "exec" ? 1U : 0U;
        lost += object["event"] == "lost" ? object["count"].get<std::uint64_t>() : 0;
    }
    EXPECT_GT(got, 100U);
    EXPECT_GT(lost, 100U);
    EXPECT_EQ(got + lost, events) << "each event has come or is told to be lost";
}

TEST_F(TraceTest, TellsEverybodyWhatWasLostInTheKernel) {
    const auto one = watch();
    const auto other = watch();
    events_->lose(3);
    flood();
    EXPECT_THAT(read(one), HasSubstr(R"({"event":"lost","count":3,"where":"kernel"})"));
    EXPECT_THAT(read(other), HasSubstr(R"({"event":"lost","count":3,"where":"kernel"})"));
    flood();
    EXPECT_THAT(read(one), testing::Not(HasSubstr("lost")));
}

TEST_F(TraceTest, TakesANewFilterOnTheSameSocket) {
    const auto socket = watch({.unit = "a.service"});
    say(socket, "{\"comm\":\"sshd\"}\n");
    EXPECT_EQ(told_.control.active, 2U);
    EXPECT_THAT(told_.units, ElementsAre("+a.service", "-a.service"));
    send({.filters = 2, .pid = 7});
    EXPECT_THAT(lines(socket), ElementsAre("watching", "watching", "exec 7"));
}

TEST_F(TraceTest, TellsAnEventThatPassesTheOldFilterAndTheNewOneOnce) {
    const auto socket = watch();
    say(socket, "{}\n");
    send({.filters = 3, .pid = 7});
    send({.filters = 1, .pid = 8}); // on its way since before the change
    EXPECT_THAT(lines(socket), ElementsAre("watching", "watching", "exec 7", "exec 8"));
}

TEST_F(TraceTest, AnswersAFilterThatMakesNoSenseAndKeepsTheOldOne) {
    const auto socket = watch();
    say(socket, "{\"comn\":\"sshd\"}\n");
    EXPECT_EQ(told_.control.active, 1U);
    const auto text = read(socket);
    EXPECT_THAT(text, HasSubstr(R"({"event":"error","message":"unknown key \"comn\")"));
    send({.filters = 1, .pid = 7});
    EXPECT_THAT(lines(socket), ElementsAre("exec 7"));
}

TEST_F(TraceTest, GivesNobodyTheEventsOfWhoHadTheSlotBefore) {
    std::vector<host::Fd> sockets;
    std::ranges::generate_n(std::back_inserter(sockets), Trace::most_watchers, [this] {
        return watch();
    });
    // Through all other slots, and to the first again.
    for (std::size_t i = 0; i <= EGB_TRACE_FILTERS - Trace::most_watchers; ++i) {
        sockets[0].reset();
        turn();
        clock_.advance(std::chrono::seconds{1});
        sockets[0] = watch();
    }
    ASSERT_EQ(told_.control.active & 1U, 1U) << "the first slot is used again";
    send({.filters = 1, .time_ns = 3'600'000'000'000, .pid = 7});
    EXPECT_THAT(lines(sockets[0]), ElementsAre("watching"));
    send({.filters = 1,
          .time_ns = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()),
          .pid = 8});
    EXPECT_THAT(lines(sockets[0]), ElementsAre("exec 8"));
}

TEST_F(TraceTest, HasRoomForSoManyWatchersAndForFewOfAUser) {
    std::vector<host::Fd> sockets;
    std::ranges::generate_n(std::back_inserter(sockets), Trace::most_of_a_user, [this] {
        return watch({}, 1'000);
    });
    auto more = trace_.watch({}, 1'000);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, ErrorCode::busy);
    EXPECT_THAT(more.error().message, HasSubstr("uid 1000 has 8 watchers"));
    while (sockets.size() < Trace::most_watchers) {
        sockets.push_back(watch());
    }
    EXPECT_FALSE(trace_.watch({}, 0));
    sockets.pop_back();
    turn();
    EXPECT_TRUE(trace_.watch({}, 1'001));
}

TEST_F(TraceTest, FollowsWhoIsThereAlreadyToTheLastDescendant) {
    const auto stat = [this](std::int32_t pid, std::int32_t parent, int ticks) {
        proc_.add({.pid = pid});
        proc_.write(std::to_string(pid) + "/stat",
                    std::to_string(pid) + " (a) b) S " + std::to_string(parent) +
                        " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(ticks) +
                        " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n");
    };
    stat(10, 1, 5);
    stat(12, 10, 6);
    stat(11, 12, 7); // listed before its parent
    stat(13, 1, 8);
    const auto socket = watch({.pid = 10});
    EXPECT_THAT(told_.followed,
                ElementsAre(testing::Pair(10, 1U), testing::Pair(11, 1U), testing::Pair(12, 1U)));
    EXPECT_EQ(told_.control.following, 1U);
    say(socket, "{\"pid\":13}\n");
    EXPECT_THAT(told_.followed, ElementsAre(testing::Pair(13, 2U)));
    say(socket, "{\"pid\":99}\n");
    EXPECT_THAT(read(socket), HasSubstr("error"));
    EXPECT_THAT(told_.followed, ElementsAre(testing::Pair(13, 2U)));
}

TEST_F(TraceTest, RefusesAFilterThatNothingCouldPass) {
    const auto socket = trace_.watch({.exec = false, .exit = false}, 0);
    ASSERT_FALSE(socket);
    EXPECT_EQ(socket.error().code, ErrorCode::invalid);
    EXPECT_EQ(attached_, 0);
}

TEST_F(TraceTest, OfAProcessThatIsNotThereLeavesNothingBehind) {
    const auto socket = trace_.watch({.pid = 4'711}, 0);
    ASSERT_FALSE(socket);
    EXPECT_EQ(socket.error().code, ErrorCode::not_found);
    EXPECT_EQ(told_.control.active, 0U);
    EXPECT_THAT(told_.followed, IsEmpty());
}

TEST_F(TraceTest, SaysWhyTheKernelRefusesIt) {
    refusal_ = Error{ErrorCode::unsupported, "no BTF"};
    const auto socket = trace_.watch({}, 0);
    ASSERT_FALSE(socket);
    EXPECT_EQ(socket.error(), *refusal_);
    EXPECT_EQ(trace_.watchers(), 0U);
    refusal_.reset();
    EXPECT_TRUE(trace_.watch({}, 0));
}

TEST_F(TraceTest, OutlivesAWatcherThatLeavesInTheMidstOfAFlood) {
    auto socket = watch();
    const auto other = watch();
    for (int event = 0; event < 100; ++event) {
        events_->send_bytes(TraceRecord{.filters = 3}.bytes());
    }
    socket.reset();
    turn();
    EXPECT_EQ(trace_.watchers(), 1U);
    EXPECT_THAT(lines(other), SizeIs(101));
}

} // namespace
} // namespace egb::trace
