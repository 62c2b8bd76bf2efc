// SPDX-License-Identifier: Apache-2.0
// Options as tables: what may stand in a section of the configuration, and the values that do; with the lists
// that belong to it.
#pragma once

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/time_span.hpp"
#include "core/word_list.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace egb {

enum class OptionType : std::uint8_t {
    flag,   ///< yes or no, in systemd's words
    span,   ///< "1min 30s"
    count,  ///< a whole number
    text,   ///< taken as it stands
    list,   ///< words between blanks; quotes keep blanks in a word
    choice, ///< one of `choices`
};

struct OptionSpec {
    std::string_view name; ///< CamelCase, as it stands in the file
    OptionType type;
    std::string_view preset; ///< the default, written as in the file
    std::string_view help;
    std::span<const std::string_view> choices{}; ///< for OptionType::choice
    std::uint64_t least{0};                      ///< for count; for span in seconds
    std::uint64_t most{UINT64_MAX};
    WordCheck check{}; ///< for each word of a list; none takes any word
};

using OptionValue = std::variant<bool, Span, std::uint64_t, std::string, std::vector<std::string>>;

/// One section's values, complete: every option of its table has one. A name that the table does not have is
/// a mistake of ours, not of the administrator, and throws std::out_of_range.
class OptionValues {
public:
    /// Each option at its default, each list as this build has it.
    explicit OptionValues(std::span<const OptionSpec> table, std::span<const ListSpec> lists = {});

    /// Reads `text` as the type of the option and stores it.
    Result<void> set(std::string_view name, std::string_view text);

    /// Adds words to a list; nothing takes one away.
    void add_words(std::string_view list, const std::vector<std::string>& words);

    [[nodiscard]] bool flag(std::string_view name) const { return get<bool>(name); }
    [[nodiscard]] Span span(std::string_view name) const { return get<Span>(name); }
    [[nodiscard]] std::uint64_t count(std::string_view name) const { return get<std::uint64_t>(name); }
    [[nodiscard]] const std::string& text(std::string_view name) const { return get<std::string>(name); }
    [[nodiscard]] const std::vector<std::string>& list(std::string_view name) const {
        return get<std::vector<std::string>>(name);
    }

    [[nodiscard]] const std::vector<std::string>& words(std::string_view list) const {
        return words_.at(list);
    }

    [[nodiscard]] std::span<const OptionSpec> table() const { return table_; }
    [[nodiscard]] const OptionValue& value(std::string_view name) const { return values_.at(name); }

    bool operator==(const OptionValues& other) const {
        return values_ == other.values_ && words_ == other.words_;
    }

private:
    template <typename T>
    const T& get(std::string_view name) const {
        return std::get<T>(values_.at(name));
    }

    std::span<const OptionSpec> table_;
    std::map<std::string_view, OptionValue> values_;             ///< keys are the table's
    std::map<std::string_view, std::vector<std::string>> words_; ///< of each list
};

/// Reads one value as the option's type; the message of a failure says what was expected.
[[nodiscard]] Result<OptionValue> parse_option(const OptionSpec& spec, std::string_view text);

/// The value as it would be written in the file.
[[nodiscard]] std::string to_text(const OptionValue& value);

} // namespace egb
