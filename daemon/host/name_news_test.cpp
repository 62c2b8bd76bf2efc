// SPDX-License-Identifier: Apache-2.0
// Bytes as Linux 6.18 has written them, for files on tmpfs.
#include "host/name_news.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egb::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using What = NameNews::What;

constexpr std::string_view created =
    "60000000030018000001000000000000ffffffff9d7d000002002800fc2e60459de492a3"
    "0c0000000100000032459388fbc82e0000000000612e6c6f636b000001002000fc2e6045"
    "9de492a30c00000001000000eeeb145bfcc82e0000000000";
constexpr std::string_view renamed =
    "84000000030018000000001000000000ffffffff9d7d00000a002800fc2e60459de492a3"
    "0c0000000100000032459388fbc82e0000000000612e6c6f636b00000c002400fc2e6045"
    "9de492a30c0000000100000032459388fbc82e00000000006200000001002000fc2e6045"
    "9de492a30c00000001000000eeeb145bfcc82e0000000000";
constexpr std::string_view made_and_removed =
    "60000000030018000003004000000000ffffffff9d7d000002002800fc2e60459de492a30c0000000100000032459388fbc82e00"
    "000000"
    "006c6f636b6469720001002000fc2e60459de492a30c000000010000002918d585fdc82e0000000000";
constexpr std::string_view removed =
    "5c000000030018000002000000000000ffffffff9d7d000002002400fc2e60459de492a3"
    "0c0000000100000032459388fbc82e00000000006200000001002000fc2e60459de492a3"
    "0c00000001000000eeeb145bfcc82e0000000000";
constexpr std::string_view overflown = "18000000030018000040000000000000ffffffff00000000";

constexpr std::uint64_t file_system = 0xa392e49d45602efc;

std::string raw(std::string_view hex) {
    std::string text(hex.size() / 2, '\0');
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned byte = 0;
        std::from_chars(hex.data() + (2 * at), hex.data() + (2 * at) + 2, byte, 16);
        text[at] = static_cast<char>(byte);
    }
    return text;
}

NameReading read(const std::string& bytes) {
    return read_names(std::as_bytes(std::span{bytes}));
}

NamePlace place(std::string name) {
    return {.file_system = file_system,
            .folder = raw("0c0000000100000032459388fbc82e0000000000"),
            .name = std::move(name)};
}

const std::string its_handle = raw("0c00000001000000eeeb145bfcc82e0000000000");

TEST(NameNewsTest, a_file_that_was_made_has_a_place_and_a_handle) {
    const auto reading = read(raw(created));
    EXPECT_EQ(reading.events, 1U);
    EXPECT_THAT(
        reading.news,
        ElementsAre(NameNews{.what = What::made, .event = 0, .place = place("a.lock"), .file = its_handle}));
}

TEST(NameNewsTest, a_rename_is_about_both_names) {
    EXPECT_THAT(read(raw(renamed)).news,
                ElementsAre(NameNews{.what = What::left, .event = 0, .place = place("a.lock")},
                            NameNews{.what = What::left, .event = 0, .place = place("b")}));
}

TEST(NameNewsTest, what_was_made_and_removed_was_made_first) {
    const auto reading = read(raw(made_and_removed));
    EXPECT_EQ(reading.events, 1U);
    ASSERT_EQ(reading.news.size(), 2U);
    EXPECT_EQ(reading.news[0].what, What::made);
    EXPECT_EQ(reading.news[1], (NameNews{.what = What::left, .event = 0, .place = place("lockdir")}));
}

TEST(NameNewsTest, events_are_counted_whatever_they_say) {
    const auto reading = read(raw(std::string{removed} + std::string{overflown} + std::string{created}));
    EXPECT_EQ(reading.events, 3U);
    ASSERT_EQ(reading.news.size(), 3U);
    EXPECT_EQ(reading.news[0], (NameNews{.what = What::left, .event = 0, .place = place("b")}));
    EXPECT_EQ(reading.news[1], (NameNews{.what = What::missed, .event = 1}));
    EXPECT_EQ(reading.news[2].event, 2U);
}

TEST(NameNewsTest, what_is_cut_off_is_no_news) {
    const std::string whole = raw(created);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_THAT(read(whole.substr(0, length)).news, IsEmpty()) << length;
    }
}

TEST(NameNewsTest, lengths_that_lie_are_no_news) {
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{4 + 2}, std::size_t{24 + 2}, std::size_t{24 + 12}}) {
        for (const char byte : {'\0', '\1', '\x7f', '\xff'}) {
            std::string bytes = raw(created);
            bytes[at] = byte;
            for (const NameNews& news : read(bytes).news) {
                EXPECT_LE(news.place.name.size(), bytes.size());
            }
        }
    }
}

} // namespace
} // namespace egb::host
