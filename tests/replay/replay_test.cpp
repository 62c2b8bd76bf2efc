// SPDX-License-Identifier: Apache-2.0
#include "replay/replay.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace egb::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

std::vector<fs::path> recordings() {
    std::vector<fs::path> files;
    for (const auto& file : fs::recursive_directory_iterator{EGB_RECORDINGS}) {
        if (file.path().extension() == ".jsonl") {
            files.push_back(file.path());
        }
    }
    std::ranges::sort(files);
    return files;
}

/// "fake_cleaned_after_veto"
std::string name_of(const testing::TestParamInfo<fs::path>& file) {
    return file.param.parent_path().filename().string() + '_' + file.param.stem().string();
}

class Recordings : public testing::TestWithParam<fs::path> {};

TEST_P(Recordings, come_to_what_they_expect) {
    std::ifstream file{GetParam()};
    ASSERT_TRUE(file);
    const auto replayed = replay(file);
    ASSERT_TRUE(replayed) << GetParam() << ": " << replayed.error().message;
    EXPECT_FALSE(replayed->expected.empty());
    EXPECT_THAT(replayed->happened, ElementsAreArray(replayed->expected));
}

INSTANTIATE_TEST_SUITE_P(all, Recordings, testing::ValuesIn(recordings()), name_of);

// The driver itself: it must see when a recording does not come to what it expects.

// Nobody holds these things, and with a protect list what nobody is known to hold is left alone.
constexpr auto header =
    R"({"kind":"fake","options":{"Clean":"proven","Veto":"30s"},"governor":{"Protect":""}})";
constexpr auto seen =
    R"({"at":"2h","sighting":"seen","source":"event","record":{"key":"a","inode":7,"proven":true}})";

Result<Replayed> replay_text(std::initializer_list<std::string_view> lines) {
    std::stringstream text;
    for (const auto line : lines) {
        text << line << '\n';
    }
    return replay(text);
}

TEST(Replay, tells_everything_that_happens_until_the_last_line) {
    const auto replayed = replay_text({header, seen, R"({"at":"2h 30s"})"});
    ASSERT_TRUE(replayed) << replayed.error().message;
    EXPECT_THAT(replayed->expected, testing::IsEmpty());
    EXPECT_THAT(replayed->happened,
                ElementsAre("2h appeared a proven", "2h pending a proven", "2h 30s cleaned a proven"));
}

TEST(Replay, tells_nothing_of_what_would_happen_later) {
    const auto replayed = replay_text({header, seen, R"({"at":"2h 29s"})"});
    ASSERT_TRUE(replayed) << replayed.error().message;
    EXPECT_THAT(replayed->happened, ElementsAre("2h appeared a proven", "2h pending a proven"));
}

TEST(Replay, puts_down_what_is_expected_as_it_would_happen) {
    const auto replayed =
        replay_text({header, R"({"at":"7205s","expect":"cleaned","key":"a","grade":"suspected"})"});
    ASSERT_TRUE(replayed) << replayed.error().message;
    EXPECT_THAT(replayed->expected, ElementsAre("2h 5s cleaned a suspected"));
    EXPECT_THAT(replayed->happened, testing::IsEmpty());
}

TEST(Replay, lets_the_cleaner_fail_when_the_recording_says_so) {
    const auto replayed =
        replay_text({header, seen, R"({"at":"2h","cleaner":{"clean":"failed"}})", R"({"at":"2h 30s"})"});
    ASSERT_TRUE(replayed) << replayed.error().message;
    EXPECT_EQ(replayed->happened.back(), "2h 30s failed a proven");
}

TEST(Replay, gives_the_engine_the_holders_of_the_recording) {
    const auto replayed = replay_text(
        {R"({"kind":"fake","governor":{"Protect":"precious"}})", seen,
         R"({"at":"2h","sighting":"held","source":"event","record":{"key":"a","inode":7,"proven":true},"process":{"pid":7,"comm":"precious"}})",
         R"({"at":"3h"})"});
    ASSERT_TRUE(replayed) << replayed.error().message;
    EXPECT_THAT(replayed->happened, ElementsAre("2h appeared a proven"));
}

struct Mistake {
    std::vector<std::string> lines;
    std::string complaint;
};

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, are_named_with_their_line) {
    std::stringstream text;
    for (const auto& line : GetParam().lines) {
        text << line << '\n';
    }
    const auto replayed = replay(text);
    ASSERT_FALSE(replayed);
    EXPECT_EQ(replayed.error().code, ErrorCode::invalid);
    EXPECT_THAT(replayed.error().message, HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    lines, Mistakes,
    testing::Values(
        Mistake{{}, "line 1: "}, Mistake{{"{}"}, "line 1: "},
        Mistake{{R"({"kind":"unheard-of"})"}, "line 1: no kind"},
        Mistake{{R"({"kind":"fake","options":{"Vetoo":"1s"}})"}, "line 1: no option"},
        Mistake{{R"({"kind":"fake","options":{"Veto":"soon"}})"}, "line 1: Veto"},
        Mistake{{header, "not json"}, "line 2: "}, Mistake{{header, "{}"}, "line 2: "},
        Mistake{{header, R"({"at":"soon"})"}, "line 2: expected a time span"},
        Mistake{{header, R"({"at":"2h"})", R"({"at":"1h"})"}, "line 3: time does not go back"},
        Mistake{{header, R"({"at":"2h","sightin":"seen"})"}, "line 2: a line is"},
        Mistake{{header, R"({"at":"2h","sighting":"heard","source":"event"})"}, "line 2: no sighting"},
        Mistake{{header, R"({"at":"2h","sighting":"lost","source":"rumour"})"}, "line 2: a source"},
        Mistake{{header, R"({"at":"2h","sighting":"seen","source":"event","record":{"kee":"a"}})"},
                "line 2: a record of the kind fake has no kee"},
        Mistake{{header, R"({"at":"2h","cleaner":{"confirm":"bad"}})"}, "line 2: no error"},
        Mistake{{header, R"({"at":"2h","cleaner":{"clean":"bad"}})"}, "line 2: no verdict"}));

TEST(ReplayKinds, have_a_recording_each) {
    for (const ReplayKind& kind : replay_kinds()) {
        const auto folder = fs::path{EGB_RECORDINGS} / kind.info.name;
        EXPECT_THAT(recordings(), testing::Contains(testing::Property(&fs::path::parent_path, folder)));
    }
}

/// Forgets the inode on the way back.
class ForgetfulCodec final : public RecordCodec {
public:
    [[nodiscard]] Result<Fields> to_fields(SightingType type,
                                           std::span<const std::byte> record) const override {
        return replay_kinds().front().codec.to_fields(type, record).transform([](Fields fields) {
            std::erase_if(fields, [](const Field& field) {
                return field.name == "inode";
            });
            return fields;
        });
    }
    [[nodiscard]] Result<std::vector<std::byte>> to_record(SightingType type,
                                                           const Fields& fields) const override {
        return replay_kinds().front().codec.to_record(type, fields);
    }
};

TEST(ReplayKinds, must_be_able_to_write_what_they_read) {
    const ForgetfulCodec codec;
    const ReplayKind& fake = replay_kinds().front();
    const std::array kinds{ReplayKind{.info = fake.info, .make_tracker = fake.make_tracker, .codec = codec}};
    std::stringstream text;
    text << header << '\n' << seen << '\n';
    const auto replayed = replay(text, kinds);
    ASSERT_FALSE(replayed);
    EXPECT_THAT(replayed.error().message, HasSubstr("line 2: the codec loses inode"));
}

} // namespace
} // namespace egb::test
