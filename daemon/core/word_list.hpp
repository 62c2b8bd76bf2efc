// SPDX-License-Identifier: Apache-2.0
// Lists that are files of their own, so that adding to one takes no compiler: a word a line, as it stands;
// lines that begin with # are comments.
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace egb {

/// Whether a word may stand in a list; a failure says what was expected.
using WordCheck = Result<> (*)(std::string_view word);

/// What a kind knows of such a list.
struct ListSpec {
    std::string_view name; ///< "data-files": the file is data-files.list
    std::string_view text; ///< the file as this build has it: that counts, whatever becomes of the file
    WordCheck check{};     ///< for each word; none takes any word
};

/// What was read of one. A line that cannot be meant keeps no other from counting.
struct WordList {
    struct Mistake {
        std::size_t line{}; ///< counted from 1
        std::string reason;

        bool operator==(const Mistake&) const = default;
    };

    std::vector<std::string> words;
    std::vector<Mistake> mistakes;
};

[[nodiscard]] WordList read_words(std::string_view text, WordCheck check);

} // namespace egb
