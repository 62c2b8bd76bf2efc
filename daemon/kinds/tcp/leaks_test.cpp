// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/leaks.hpp"

#include "kinds/tcp/tracker.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <set>
#include <span>

namespace egb::tcp {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Span threshold = 60s;
constexpr std::int32_t pid = 100;
constexpr std::string_view key = "leak:100@1";

/// How many of the ghosts are members of the leak; of none, when it has no key.
std::ptrdiff_t members_of(const Changes& changes, std::string_view leak) {
    return std::ranges::count_if(changes.ghosts, [leak](const Ghost& ghost) {
        return ghost.group == leak;
    });
}

/// A process that loses one socket after another, swept as the kind would.
class LeakTest : public testing::Test {
protected:
    LeakTest() {
        tracker_.set_thresholds({.close_wait = threshold, .fin_wait2 = threshold, .last_ack = {}});
        tracker_.set_leak_after(20);
    }

    /// So many more that are overdue already.
    void forget(unsigned count) {
        for (unsigned added = 0; added < count; ++added) {
            since_.push_back(now_ - threshold);
        }
    }

    /// So many, the oldest first, end: closed by their process, or with an error that it will read.
    void end(std::size_t count, std::uint16_t error = 0) {
        for (std::size_t ended = 0; ended < count; ++ended) {
            const egb_tcp_end record{
                .header = {.type = EGB_TCP_END, .size = sizeof(record), .reserved = 0, .time_ns = 0},
                .cookie = ++ended_,
                .netns = 7,
                .next_state = static_cast<__u16>(error == 0 ? TCP_LAST_ACK : TCP_CLOSE),
                .error = error};
            observe(SightingType::gone, record);
        }
    }

    Changes sweep(std::uint8_t state = TCP_CLOSE_WAIT) {
        observe(SightingType::sweep_begin);
        for (std::uint64_t cookie = ended_ + 1; cookie <= since_.size(); ++cookie) {
            see(cookie, state);
        }
        const auto leaking = tracker_.leaking();
        if (!leaking.empty() && files_) {
            files_->header = {.type = EGB_TCP_OWNER, .size = sizeof(*files_), .reserved = 0, .time_ns = 0};
            files_->pid = leaking.front()->id.pid;
            files_->start_ticks = leaking.front()->id.start_ticks;
            observe(SightingType::seen, *files_);
        }
        observe(SightingType::sweep_end);
        return tracker_.tick(now_);
    }

    void open_files(std::uint32_t open, std::uint64_t limit) {
        files_ = egb_tcp_owner{};
        files_->open_files = open;
        files_->file_limit = limit;
    }

    /// As for a process that is no more.
    void close_files() { files_.reset(); }

    /// The last that was told of the summary.
    Ghost summary_in(const Changes& changes) {
        const auto found = std::ranges::find(changes.ghosts, key, &Ghost::key);
        EXPECT_NE(found, changes.ghosts.end());
        return found == changes.ghosts.end() ? Ghost{} : *found;
    }

    static std::vector<std::string_view> evidence_of(const Ghost& ghost) {
        std::vector<std::string_view> names;
        names.reserve(ghost.evidence.size());
        for (const Evidence& evidence : ghost.evidence) {
            names.push_back(evidence.rule->name);
        }
        return names;
    }

    /// One sweep a minute, with so many more stuck each time.
    Ghost grow(unsigned minutes, unsigned each, std::uint32_t files_each, std::uint32_t files,
               std::uint64_t limit) {
        Ghost last;
        for (unsigned minute = 0; minute <= minutes; ++minute) {
            open_files(files + minute * files_each, limit);
            const Changes changes = sweep();
            if (std::ranges::contains(changes.ghosts, key, &Ghost::key)) {
                last = summary_in(changes);
            }
            now_ += 1min;
            forget(each);
        }
        return last;
    }

    void be_in_unit(std::string unit) { unit_ = std::move(unit); }

    TcpTracker tracker_;
    Instant now_{1h};

private:
    template <typename Record>
    void observe(SightingType type, const Record& record, ProcessPtr process = nullptr) {
        tracker_.observe({.type = type,
                          .source = Source::sweep,
                          .at = now_,
                          .record = std::as_bytes(std::span{&record, 1}),
                          .process = std::move(process)});
    }
    void observe(SightingType type) { tracker_.observe({.type = type, .source = Source::sweep, .at = now_}); }

    void see(std::uint64_t cookie, std::uint8_t state) {
        egb_tcp_socket record{};
        record.header = {.type = EGB_TCP_SOCKET,
                         .size = sizeof(record),
                         .reserved = 0,
                         .time_ns = static_cast<__u64>(now_.time_since_epoch().count())};
        record.cookie = cookie;
        record.since_ns = static_cast<__u64>(since_[cookie - 1].time_since_epoch().count());
        record.netns = 7;
        record.family = AF_INET;
        record.state = state;
        observe(SightingType::seen, record);
        const egb_tcp_holder holder{
            .header = {.type = EGB_TCP_HOLDER, .size = sizeof(holder), .reserved = 0, .time_ns = 0},
            .cookie = cookie,
            .start_boottime_ns = 1,
            .pid = pid,
            .fd = static_cast<__s32>(cookie)};
        // A copy of its own in each sweep, as in the daemon.
        auto process = std::make_shared<Process>();
        process->id = {.boot_id = "boot", .pid = pid, .start_ticks = 1};
        process->comm = "app";
        process->unit = unit_;
        observe(SightingType::held, holder, std::move(process));
    }

    std::vector<Instant> since_; ///< by cookie, less one
    std::uint64_t ended_{};      ///< the last cookie that has
    std::optional<egb_tcp_owner> files_;
    std::string unit_;
};

TEST_F(LeakTest, begins_with_enough_stuck_sockets_of_one_process) {
    forget(19);
    Changes changes = sweep();
    EXPECT_THAT(changes.ghosts, SizeIs(19));
    EXPECT_FALSE(std::ranges::contains(changes.ghosts, key, &Ghost::key));

    forget(1);
    changes = sweep();
    const Ghost summary = summary_in(changes);
    EXPECT_EQ(summary.summary, "app (pid 100) holds 20 stuck sockets");
    EXPECT_EQ(summary.grade, Grade::suspected);
    EXPECT_EQ(summary.reach, Reach::reports);
    EXPECT_FALSE(summary.askable);
    EXPECT_EQ(summary.group, "");
    EXPECT_EQ(summary.since, now_ - threshold);
    ASSERT_THAT(summary.holders, SizeIs(1));
    EXPECT_EQ(summary.holders[0].process->id.pid, pid);
    EXPECT_EQ(summary.holders[0].fd, -1);
    EXPECT_THAT(evidence_of(summary), ElementsAre("leak-size"));
}

TEST_F(LeakTest, takes_its_members_in_and_lets_them_go_again) {
    forget(20);
    Changes changes = sweep();
    EXPECT_THAT(changes.ghosts, SizeIs(21));
    EXPECT_EQ(members_of(changes, key), 20);

    end(11);
    changes = sweep();
    EXPECT_EQ(members_of(changes, ""), 9) << "told again, by themselves";
    ASSERT_THAT(changes.vanished, SizeIs(12));
    EXPECT_EQ(changes.vanished.back().key, key);
    EXPECT_EQ(changes.vanished.back().reason, "only 9 of its sockets are still stuck");
}

TEST_F(LeakTest, does_not_come_and_go_with_a_single_socket) {
    forget(20);
    (void)sweep();
    end(10);
    Changes changes = sweep();
    EXPECT_EQ(summary_in(changes).summary, "app (pid 100) holds 10 stuck sockets");
    EXPECT_FALSE(std::ranges::contains(changes.vanished, key, &Vanished::key));
    end(1);
    changes = sweep();
    EXPECT_TRUE(std::ranges::contains(changes.vanished, key, &Vanished::key));
    forget(10);
    EXPECT_FALSE(std::ranges::contains(sweep().ghosts, key, &Ghost::key)) << "19 do not begin one";
}

TEST_F(LeakTest, ends_soon_after_its_process) {
    forget(20);
    (void)sweep();
    ASSERT_TRUE(tracker_.deadline());
    EXPECT_LE(*tracker_.deadline(), now_ + 1min) << "how fast it grows is worth a look";
    end(20);
    EXPECT_LE(*tracker_.deadline(), now_ + 1s);
    const Changes changes = sweep();
    ASSERT_TRUE(std::ranges::contains(changes.vanished, key, &Vanished::key));
    EXPECT_EQ(changes.vanished.back().reason, "none of its sockets is stuck any more");
    EXPECT_THAT(tracker_.describe(key), IsEmpty());
    EXPECT_EQ(tracker_.deadline(), std::nullopt);
}

TEST_F(LeakTest, is_only_reported_however_near_its_end_is) {
    be_in_unit("shop.service");
    forget(20);
    open_files(1024, 1024);
    const Ghost summary = summary_in(sweep());
    EXPECT_EQ(summary.summary, "shop.service holds 20 stuck sockets, EMFILE now");
    EXPECT_EQ(summary.grade, Grade::suspected);
    EXPECT_EQ(summary.reach, Reach::reports);
}

TEST_F(LeakTest, is_something_to_act_upon_when_its_end_is_near_and_that_is_wanted) {
    tracker_.set_ripe_within(10min);
    be_in_unit("shop.service");
    forget(20);
    Ghost summary = grow(5, 10, 10, 30, 154);
    EXPECT_EQ(summary.summary, "shop.service leaks 10 sockets/min: 70 stuck, EMFILE in 7min");
    EXPECT_EQ(summary.grade, Grade::proven);
    EXPECT_EQ(summary.reach, Reach::cleans);
    EXPECT_EQ(tracker_.leaking_owner(key)->unit, "shop.service");

    tracker_.set_ripe_within(5min);
    summary = summary_in(sweep());
    EXPECT_EQ(summary.grade, Grade::suspected) << "not yet";
    EXPECT_EQ(summary.reach, Reach::reports);
}

TEST_F(LeakTest, of_no_unit_or_out_of_bounds_is_only_reported) {
    tracker_.set_ripe_within(10min);
    forget(20);
    open_files(40, 40);
    EXPECT_EQ(summary_in(sweep()).reach, Reach::reports) << "no unit";

    be_in_unit("shop.service");
    tracker_.set_bounds({.only = {}, .except = Scope::parse({"unit:shop.service"}).value()});
    now_ += 1min;
    forget(1);
    EXPECT_EQ(summary_in(sweep()).reach, Reach::reports) << "out of bounds";
    tracker_.set_bounds({});
    forget(1);
    EXPECT_EQ(summary_in(sweep()).reach, Reach::cleans);
}

TEST_F(LeakTest, that_ends_soon_after_its_unit_was_seen_to_has_ended_by_that) {
    tracker_.set_ripe_within(10min);
    be_in_unit("shop.service");
    forget(20);
    open_files(40, 40);
    (void)sweep();
    tracker_.note_unit_asked(*tracker_.leaking_owner(key), now_);
    end(20);
    const Changes changes = sweep();
    ASSERT_TRUE(std::ranges::contains(changes.vanished, key, &Vanished::key));
    EXPECT_TRUE(changes.vanished.back().by_question);
}

TEST_F(LeakTest, goes_on_while_its_sockets_are_ended) {
    forget(20);
    open_files(30, 1024);
    (void)sweep();
    end(15, ECONNABORTED);
    now_ += 1min;
    const Ghost summary = summary_in(sweep());
    EXPECT_EQ(summary.summary, "app (pid 100) holds 5 stuck sockets, 15 ended in 10min");
    EXPECT_THAT(evidence_of(summary), Contains("leak-ended"));
    EXPECT_THAT(tracker_.describe(key), Contains(Field{"ended_sockets", std::uint64_t{15}}));
}

TEST_F(LeakTest, grows_by_what_is_forgotten_however_soon_that_is_ended) {
    Ghost last;
    for (unsigned minute = 0; minute <= 9; ++minute) {
        forget(12);
        open_files(100 + minute * 12, 1024);
        const Changes changes = sweep();
        if (std::ranges::contains(changes.ghosts, key, &Ghost::key)) {
            last = summary_in(changes);
        }
        end(12, ECONNABORTED);
        now_ += 1min;
    }
    EXPECT_EQ(last.summary,
              "app (pid 100) leaks 12 sockets/min: 12 stuck, 108 ended in 10min, EMFILE in 1h 8min");
}

TEST_F(LeakTest, whose_sockets_were_all_ended_ends_in_time) {
    forget(20);
    open_files(30, 1024);
    (void)sweep();
    end(20, ECONNABORTED);
    (void)sweep();
    EXPECT_TRUE(tracker_.leaking_owner(key)) << "its descriptors are still there";
    now_ += 11min;
    EXPECT_TRUE(std::ranges::contains(sweep().vanished, key, &Vanished::key));
}

TEST_F(LeakTest, whose_sockets_were_all_ended_ends_with_its_process) {
    forget(20);
    open_files(30, 1024);
    (void)sweep();
    end(20, ECONNABORTED);
    close_files();
    EXPECT_TRUE(std::ranges::contains(sweep().vanished, key, &Vanished::key));
}

TEST_F(LeakTest, of_a_process_with_many_other_descriptors_is_only_reported) {
    tracker_.set_ripe_within(10min);
    be_in_unit("shop.service");
    forget(20);
    open_files(1000, 1000);
    EXPECT_EQ(summary_in(sweep()).reach, Reach::reports) << "a busy server at its limit, and 20 old sockets";
    now_ += 1min;
    open_files(40, 40);
    EXPECT_EQ(summary_in(sweep()).reach, Reach::cleans);
}

TEST_F(LeakTest, is_never_made_of_other_states) {
    forget(30);
    const Changes changes = sweep(TCP_FIN_WAIT2);
    EXPECT_THAT(changes.ghosts, SizeIs(30));
    EXPECT_EQ(members_of(changes, ""), 30);
}

TEST_F(LeakTest, is_not_looked_for_when_that_is_off) {
    forget(20);
    (void)sweep();
    tracker_.set_leak_after(0);
    const Changes changes = sweep();
    ASSERT_THAT(changes.vanished, SizeIs(1));
    EXPECT_EQ(changes.vanished[0].key, key);
    EXPECT_EQ(members_of(changes, ""), 20);
    EXPECT_THAT(tracker_.leaking(), IsEmpty());
}

TEST_F(LeakTest, says_nothing_of_growth_before_it_has_seen_enough) {
    be_in_unit("myapp.service");
    forget(340);
    const Ghost early = grow(2, 12, 12, 400, 1000);
    EXPECT_EQ(early.summary, "myapp.service holds 364 stuck sockets");
    EXPECT_THAT(evidence_of(early), ElementsAre("leak-size", "descriptors", "descriptor-limit"));
}

TEST_F(LeakTest, tells_how_fast_it_grows_and_when_descriptors_run_out) {
    be_in_unit("myapp.service");
    forget(220);
    const Ghost grown = grow(10, 12, 12, 400, 1000);
    // 520 are open after ten minutes, 480 are left.
    EXPECT_EQ(grown.summary, "myapp.service leaks 12 sockets/min: 340 stuck, EMFILE in 40min");
    EXPECT_THAT(evidence_of(grown),
                ElementsAre("leak-size", "leak-growth", "descriptors", "descriptor-limit", "exhaustion"));
    EXPECT_EQ(grown.evidence[1].value, 12);
    EXPECT_EQ(grown.evidence[2].value, 520);
    EXPECT_EQ(grown.evidence[3].value, 1000);
    EXPECT_EQ(grown.evidence[4].value, Span{40min}.count());
    EXPECT_THAT(tracker_.describe(key), Contains(Field{"open_files", std::uint64_t{520}}));
}

TEST_F(LeakTest, counts_descriptors_that_cleaned_sockets_have_left_behind) {
    forget(30);
    EXPECT_EQ(grow(10, 0, 12, 400, 1000).summary, "app (pid 100) holds 30 stuck sockets, EMFILE in 40min");
}

TEST_F(LeakTest, takes_what_comes_and_goes_for_no_growth) {
    forget(30);
    Ghost last;
    for (unsigned minute = 0; minute <= 10; ++minute) {
        open_files(minute % 3 == 0 ? 200 : 200 + minute * 50, 1000);
        last = summary_in(sweep());
        now_ += 1min;
        forget(1);
    }
    EXPECT_EQ(last.summary, "app (pid 100) leaks 1 socket/min: 40 stuck");
}

TEST_F(LeakTest, forgets_growth_that_is_over) {
    forget(220);
    (void)grow(10, 12, 12, 400, 1000);
    EXPECT_THAT(grow(11, 0, 0, 520, 1000).summary, "app (pid 100) holds 352 stuck sockets");
}

TEST_F(LeakTest, says_when_nothing_is_left) {
    forget(30);
    open_files(1000, 1000);
    EXPECT_EQ(summary_in(sweep()).summary, "app (pid 100) holds 30 stuck sockets, EMFILE now");
}

TEST_F(LeakTest, foretells_nothing_that_is_far_away_or_without_a_limit) {
    forget(30);
    EXPECT_EQ(grow(10, 0, 1, 400, 100'000).summary, "app (pid 100) holds 30 stuck sockets");
    EXPECT_THAT(evidence_of(grow(10, 0, 12, 400, UINT64_MAX)), ElementsAre("leak-size", "descriptors"));
}

TEST_F(LeakTest, is_told_again_only_when_something_has_changed) {
    forget(30);
    open_files(50, 1000);
    EXPECT_THAT(sweep().ghosts, SizeIs(31));
    EXPECT_THAT(sweep().ghosts, IsEmpty());
}

} // namespace
} // namespace egb::tcp
