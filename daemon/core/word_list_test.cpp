// SPDX-License-Identifier: Apache-2.0
#include "core/word_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egb {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;

Result<> check_no_slash(std::string_view word) {
    return word.contains('/') ? fail(ErrorCode::invalid, "a word without a slash") : Result<>{};
}

TEST(WordListTest, has_a_word_a_line_as_it_stands) {
    const auto list = read_words("# of old\n\n  a b\t\nc#d\r\n\t# e\n'f'", nullptr);
    EXPECT_THAT(list.words, ElementsAre("a b", "c#d", "'f'"));
    EXPECT_THAT(list.mistakes, IsEmpty());
}

TEST(WordListTest, nothing_is_an_empty_list) {
    EXPECT_THAT(read_words("", nullptr).words, IsEmpty());
}

TEST(WordListTest, a_comment_behind_a_word_is_not_taken_for_a_part_of_it) {
    const auto list = read_words("\xEF\xBB\xBF"
                                 "a\n/srv/b.lock  # ours\nc\t#\n",
                                 nullptr);
    EXPECT_THAT(list.words, ElementsAre("a"));
    EXPECT_THAT(list.mistakes, testing::SizeIs(2));
}

TEST(WordListTest, a_line_that_cannot_be_meant_is_refused_and_the_others_count) {
    const auto list = read_words("a\nb/c\n\nd\0e\n\xFF\nf\n"sv, &check_no_slash);
    EXPECT_THAT(list.words, ElementsAre("a", "f"));
    using Mistake = WordList::Mistake;
    EXPECT_THAT(list.mistakes, ElementsAre(Mistake{2, "b/c: a word without a slash"},
                                           Mistake{4, "a control character; is this a text file?"},
                                           Mistake{5, "this is not UTF-8"}));
}

} // namespace
} // namespace egb
