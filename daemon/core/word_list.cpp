// SPDX-License-Identifier: Apache-2.0
#include "core/word_list.hpp"

#include "core/lines.hpp"

namespace egb {

namespace {

Result<> check_word(std::string_view word, WordCheck check) {
    if (auto text = check_line(word); !text) {
        return text;
    }
    if (word.contains(" #") || word.contains("\t#")) {
        return fail(ErrorCode::invalid, "{}: a comment needs a line of its own", word);
    }
    const auto good = check == nullptr ? Result<>{} : check(word);
    return good ? Result<>{} : fail(good.error().code, "{}: {}", word, good.error().message);
}

} // namespace

WordList read_words(std::string_view text, WordCheck check) {
    WordList list;
    std::size_t number = 0;
    text = without_byte_order_mark(text);
    for (const auto line : lines_of(text)) {
        ++number;
        const auto word = trimmed(line);
        if (word.empty() || word.starts_with('#')) {
            continue;
        }
        if (const auto good = check_word(word, check)) {
            list.words.emplace_back(word);
        } else {
            list.mistakes.push_back({.line = number, .reason = good.error().message});
        }
    }
    return list;
}

} // namespace egb
