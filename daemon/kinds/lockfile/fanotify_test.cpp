// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/fanotify.hpp"

#include "harness/fake_clock.hpp"
#include "harness/fake_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace egb::lockfile {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using What = host::NameNews::What;

/// Says what the test says.
class FakeNameWatch final : public host::NameWatch {
public:
    [[nodiscard]] Result<> start() override {
        return refusal_.empty() ? Result<>{} : fail(ErrorCode::unsupported, "{}", refusal_);
    }
    [[nodiscard]] int poll_fd() const override { return 42; }
    [[nodiscard]] Result<> wait_also_for(int /*fd*/) override { return {}; }
    [[nodiscard]] int queue() const override { return 43; }
    [[nodiscard]] Result<host::NameReading> read(std::size_t /*about*/) override {
        return std::exchange(reading_, {});
    }
    [[nodiscard]] Result<host::NamedFile> open(const host::NameNews& made) override {
        const auto found = files_.find(made.file);
        if (found == files_.end()) {
            return fail(ErrorCode::not_found, "it is gone");
        }
        return host::NamedFile{.file = {}, .folder = {}, .status = found->second};
    }
    void let_go() override { ++let_go_; }
    [[nodiscard]] std::string extent() const override { return "here"; }

    void refuse(std::string why) { refusal_ = std::move(why); }
    void say(What what, std::string name, std::string file = {}) {
        reading_.news.push_back({.what = what,
                                 .event = reading_.events++,
                                 .place = place(std::move(name)),
                                 .file = std::move(file)});
    }
    void put(const std::string& file, host::FileStatus status) { files_[file] = status; }
    [[nodiscard]] int times_let_go() const { return let_go_; }

private:
    static host::NamePlace place(std::string name) {
        return {.file_system = 1, .folder = "folder", .name = std::move(name)};
    }

    std::string refusal_;
    host::NameReading reading_;
    std::map<std::string, host::FileStatus> files_;
    int let_go_{};
};

class FanotifyEventsTest : public testing::Test {
protected:
    FanotifyEventsTest() {
        auto kernel = std::make_unique<test::FakeEvents>();
        auto names = std::make_unique<FakeNameWatch>();
        kernel_ = kernel.get();
        names_ = names.get();
        kernel_->answer("egb_lock_queue", [this](std::span<std::byte>) {
            return makers_;
        });
        kernel_->answer("egb_lock_meet", [this](std::span<std::byte> context) {
            egb_lock_meeting meeting{};
            std::memcpy(&meeting, context.data(), sizeof(meeting));
            meeting.key = {.inode = next_inode_++, .device = 8, .reserved = 0};
            std::memcpy(context.data(), &meeting, sizeof(meeting));
            met_.push_back(meeting);
            return 0U;
        });
        for (const std::string_view program : {"egb_lock_looked", "egb_lock_forget"}) {
            kernel_->answer(program, [](std::span<std::byte>) {
                return 0U;
            });
        }
        kernel_->answer("egb_lock_touched", [this](std::span<std::byte> context) {
            egb_lock_query query{};
            std::memcpy(&query, context.data(), sizeof(query));
            touched_.push_back(query.key.inode);
            return 0U;
        });
        events_ = std::make_unique<FanotifyEvents>(std::move(kernel), std::move(names), clock_);
        set_patterns();
    }

    void set_patterns() {
        std::array<egb_lock_pattern, 3> keys{};
        const std::array<std::string_view, 3> turned{"kcol.", "kcol.ograC/", "ridkcol/"};
        for (std::size_t at = 0; at < keys.size(); ++at) {
            keys[at].bits = static_cast<__u32>(8 * turned[at].size());
            turned[at].copy(keys[at].tail, sizeof(keys[at].tail));
        }
        const std::array<__u32, 3> verdicts{EGB_LOCK_WANTED, EGB_LOCK_UNWANTED, EGB_LOCK_WANTED};
        EXPECT_TRUE(events_->replace("egb_lock_patterns", std::as_bytes(std::span{keys}),
                                     std::as_bytes(std::span{verdicts})));
    }

    [[nodiscard]] std::int64_t wall_ns() const {
        return std::chrono::nanoseconds{clock_.wall_now().time_since_epoch()}.count();
    }

    /// A file that was just made, and is still there.
    void make(const std::string& name, FileType type = FileType::regular, std::uint32_t links = 1) {
        names_->put(name, {.id = {.device = 8, .inode = 1, .born_ns = wall_ns()},
                           .type = type,
                           .links = links,
                           .changed_ns = wall_ns() + 5});
        names_->say(What::made, name, name);
    }

    std::size_t drain() {
        return events_->drain(10, [](host::EventSource::Record) {}).value();
    }

    void call(std::string_view program, std::uint64_t inode) {
        egb_lock_query query{};
        query.key = {.inode = inode, .device = 8, .reserved = 0};
        EXPECT_TRUE(events_->call(program, std::as_writable_bytes(std::span{&query, 1})));
    }

    test::FakeClock clock_;
    test::FakeEvents* kernel_{};
    FakeNameWatch* names_{};
    std::unique_ptr<FanotifyEvents> events_;
    std::uint32_t makers_{EGB_LOCK_MAKERS};
    std::uint64_t next_inode_{100};
    std::vector<egb_lock_meeting> met_;
    std::vector<std::uint64_t> touched_;
};

TEST_F(FanotifyEventsTest, it_works_where_both_sides_do) {
    EXPECT_TRUE(events_->attach());
    EXPECT_TRUE(kernel_->attached());
    EXPECT_EQ(events_->poll_fd(), 42);
    EXPECT_EQ(events_->extent(), "here");
    names_->refuse("nothing can be marked");
    EXPECT_EQ(events_->attach().error().message, "nothing can be marked");
}

TEST_F(FanotifyEventsTest, a_file_that_a_lock_may_be_is_met) {
    make("a.lock");
    EXPECT_EQ(drain(), 1U);
    ASSERT_THAT(met_, SizeIs(1));
    EXPECT_EQ(met_[0].way, EGB_LOCK_BY_OPEN);
    EXPECT_EQ(met_[0].maker, 0U);
    EXPECT_EQ(met_[0].changed_ns, static_cast<std::uint64_t>(wall_ns()));
    EXPECT_EQ(std::string{met_[0].name}, "a.lock");
    EXPECT_EQ(names_->times_let_go(), 1) << "or it keeps file systems from being unmounted";
}

TEST_F(FanotifyEventsTest, the_way_is_told_by_what_is_there) {
    make("s.lock", FileType::link);
    make("lockdir", FileType::directory, 2);
    make("l.lock", FileType::regular, 2);
    make("f.lock", FileType::other);
    drain();
    ASSERT_THAT(met_, SizeIs(3));
    EXPECT_EQ(met_[0].way, EGB_LOCK_BY_SYMLINK);
    EXPECT_EQ(met_[1].way, EGB_LOCK_BY_MKDIR);
    EXPECT_EQ(met_[2].way, EGB_LOCK_BY_LINK);
    EXPECT_EQ(met_[2].changed_ns, static_cast<std::uint64_t>(wall_ns() + 5)) << "it is older than its name";
    EXPECT_EQ(met_[2].maker, 2U);
}

TEST_F(FanotifyEventsTest, other_names_are_passed_over) {
    for (const char* name : {"a.lock.1", "alock", "Cargo.lock", "lock", "xlockdir"}) {
        make(name);
    }
    EXPECT_EQ(drain(), 5U);
    EXPECT_THAT(met_, IsEmpty());
}

TEST_F(FanotifyEventsTest, of_whom_the_queue_did_not_know_is_nobody) {
    makers_ = 1;
    make("a.lock");
    make("b.lock");
    drain();
    ASSERT_THAT(met_, SizeIs(2));
    EXPECT_EQ(met_[0].maker, 0U);
    EXPECT_EQ(met_[1].maker, static_cast<__u32>(EGB_LOCK_NO_MAKER));
}

TEST_F(FanotifyEventsTest, what_is_gone_by_then_is_not_met) {
    names_->say(What::made, "a.lock", "gone");
    drain();
    EXPECT_THAT(met_, IsEmpty());
}

TEST_F(FanotifyEventsTest, when_it_was_made_is_known_by_its_birth_and_nobody_else_has_that_time) {
    clock_.advance(1h);
    make("a.lock");
    make("b.lock");
    clock_.advance(5s);
    drain();
    ASSERT_THAT(met_, SizeIs(2));
    const Span age = clock_.now() - instant_of(met_[0].made_ns);
    EXPECT_GE(age, 5s);
    EXPECT_LT(age, 5s + 10ms);
    EXPECT_GT(met_[1].made_ns, met_[0].made_ns);
}

TEST_F(FanotifyEventsTest, what_loses_its_name_is_touched_and_no_other) {
    make("a.lock");
    make("b.lock");
    names_->say(What::left, "a.lock");
    names_->say(What::left, "c.lock");
    drain();
    EXPECT_THAT(touched_, ElementsAre(100));
    call("egb_lock_forget", 100);
    names_->say(What::left, "a.lock");
    drain();
    EXPECT_THAT(touched_, SizeIs(1)) << "it is forgotten";
}

TEST_F(FanotifyEventsTest, any_name_may_be_that_of_one_who_was_watched_before) {
    call("egb_lock_looked", 7);
    make("a.lock");
    drain();
    EXPECT_THAT(touched_, IsEmpty());
    names_->say(What::left, "a.lock");
    drain();
    EXPECT_THAT(touched_, ElementsAre(100)) << "whose that name is, is known";
    names_->say(What::left, "b.lock");
    drain();
    EXPECT_THAT(touched_, ElementsAre(100, 7));
    call("egb_lock_forget", 7);
    names_->say(What::left, "b.lock");
    drain();
    EXPECT_THAT(touched_, SizeIs(2));
}

TEST_F(FanotifyEventsTest, an_overflow_is_a_loss_after_which_nothing_is_watched) {
    make("a.lock");
    drain();
    kernel_->lose(2);
    names_->say(What::missed, "");
    drain();
    EXPECT_EQ(events_->lost(), 3U);
    EXPECT_THAT(kernel_->replaced("egb_locks").keys, IsEmpty());
    names_->say(What::left, "a.lock");
    drain();
    EXPECT_THAT(touched_, IsEmpty());
}

} // namespace
} // namespace egb::lockfile
