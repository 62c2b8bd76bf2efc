// SPDX-License-Identifier: Apache-2.0
#include "trace/line_queue.hpp"

#include "trace/watcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

namespace egb::trace {
namespace {

using testing::HasSubstr;
using Flow = LineQueue::Flow;

class LineQueueTest : public testing::Test {
protected:
    LineQueueTest() {
        const int small = 4'096;
        ::setsockopt(ends_.ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    }

    Flow flush() { return queue_.flush(ends_.ours.get()); }

    /// All that is there.
    [[nodiscard]] std::string read() const {
        std::string text;
        std::array<char, 65'536> block{};
        for (ssize_t got = 0; (got = ::read(ends_.theirs.get(), block.data(), block.size())) > 0;) {
            text.append(block.data(), static_cast<std::size_t>(got));
        }
        return text;
    }

    Ends ends_{*make_ends()};
    LineQueue queue_{100};
};

TEST_F(LineQueueTest, GivesOutWholeLinesInTheirOrder) {
    queue_.add("one\n");
    queue_.add("two\n");
    EXPECT_EQ(flush(), Flow::done);
    EXPECT_EQ(read(), "one\ntwo\n");
    EXPECT_TRUE(queue_.empty());
}

TEST_F(LineQueueTest, TellsWhatFoundNoRoomBeforeTheNextThatFits) {
    queue_.add(std::string(99, 'a') + "\n");
    queue_.add("lost\n");
    queue_.add("lost too\n");
    EXPECT_EQ(queue_.lost(), 2U);
    EXPECT_EQ(flush(), Flow::done);
    queue_.add("next\n");
    EXPECT_EQ(flush(), Flow::done);
    EXPECT_EQ(read(), std::string(99, 'a') + "\n{\"event\":\"lost\",\"count\":2}\nnext\n");
    EXPECT_EQ(queue_.lost(), 0U);
}

TEST_F(LineQueueTest, TellsALossThatNothingFollows) {
    queue_.add(std::string(99, 'a') + "\n");
    queue_.add("lost\n");
    EXPECT_EQ(flush(), Flow::done);
    EXPECT_THAT(read(), HasSubstr("\n{\"event\":\"lost\",\"count\":1}\n"));
    EXPECT_EQ(flush(), Flow::done);
    EXPECT_EQ(read(), "") << "told once";
}

TEST_F(LineQueueTest, TellsWhereItWasLost) {
    queue_.lose_in_kernel(7);
    queue_.add("next\n");
    EXPECT_EQ(flush(), Flow::done);
    EXPECT_EQ(read(), "{\"event\":\"lost\",\"count\":7,\"where\":\"kernel\"}\nnext\n");
}

TEST_F(LineQueueTest, GoesOnWithTheRestOfALineBeforeAnythingElse) {
    LineQueue large{1'000'000};
    std::string sent;
    for (int number = 0; number < 2'000; ++number) {
        const auto line = std::to_string(number) + std::string(100, 'x') + "\n";
        sent += line;
        large.add(line);
    }
    ASSERT_EQ(large.flush(ends_.ours.get()), Flow::blocked);
    large.add("last\n");
    std::string got;
    while (large.flush(ends_.ours.get()) == Flow::blocked) {
        got += read();
    }
    got += read();
    EXPECT_EQ(got, sent + "last\n");
}

TEST_F(LineQueueTest, HasRoomForAnAnswerWhenThereIsNoneForAnEvent) {
    queue_.add(std::string(99, 'a') + "\n");
    queue_.answer("answer\n");
    EXPECT_EQ(flush(), Flow::done);
    EXPECT_THAT(read(), testing::EndsWith("\nanswer\n"));
    EXPECT_EQ(queue_.lost(), 0U);
}

TEST_F(LineQueueTest, DoesNotGrowForWhoTalksOnAndNeverReads) {
    for (int i = 0; i < 10'000; ++i) {
        queue_.answer("answer\n");
    }
    std::size_t got = 0;
    while (flush() == Flow::blocked) {
        got += read().size();
    }
    EXPECT_LT(got + read().size(), 10'000U);
    EXPECT_EQ(queue_.lost(), 0U);
}

TEST_F(LineQueueTest, NoticesThatNobodyIsThere) {
    ends_.theirs.reset();
    queue_.add("line\n");
    EXPECT_EQ(flush(), Flow::gone);
}

class WatcherTest : public testing::Test {
protected:
    void say(std::string_view text) {
        ASSERT_EQ(::write(theirs_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }

    Ends ends_{*make_ends()};
    host::Fd theirs_{std::move(ends_.theirs)};
    Watcher watcher_{std::move(ends_.ours), 1'000};
};

TEST_F(WatcherTest, HearsALineWhenItIsWhole) {
    say("{\"a");
    EXPECT_FALSE(watcher_.hear().line);
    say("\":1}\nrest");
    EXPECT_EQ(watcher_.hear().line, "{\"a\":1}");
    say("\n");
    EXPECT_EQ(watcher_.hear().line, "rest");
}

TEST_F(WatcherTest, HearsTheLastOfSeveralLines) {
    say("one\ntwo\nthree");
    EXPECT_EQ(watcher_.hear().line, "two");
    say("\n");
    EXPECT_EQ(watcher_.hear().line, "three");
}

TEST_F(WatcherTest, HearsTheBeginningOfALineThatIsTooLongOnce) {
    say(std::string(10'000, 'x'));
    int heard = 0;
    for (int turn = 0; turn < 5; ++turn) {
        const auto line = watcher_.hear().line;
        heard += line ? 1 : 0;
        EXPECT_FALSE(line && line->size() <= longest_filter);
    }
    EXPECT_EQ(heard, 1);
    say("\n");
    EXPECT_FALSE(watcher_.hear().line) << "that was its end";
    say("{}\n");
    EXPECT_EQ(watcher_.hear().line, "{}");
}

TEST_F(WatcherTest, KnowsWhenNobodyIsThere) {
    EXPECT_TRUE(watcher_.hear().there);
    theirs_.reset();
    EXPECT_FALSE(watcher_.hear().there);
}

} // namespace
} // namespace egb::trace
