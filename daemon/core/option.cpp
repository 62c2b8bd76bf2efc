// SPDX-License-Identifier: Apache-2.0
#include "core/option.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <stdexcept>

namespace egb {

namespace {

constexpr std::string_view blanks = " \t";

template <typename... Args>
std::unexpected<Error> wrong(const OptionSpec& spec, std::format_string<Args...> format, Args&&... args) {
    return fail(ErrorCode::invalid, "{}: {}", spec.name, formatted(format, std::forward<Args>(args)...));
}

std::string join(std::span<const std::string_view> words, std::string_view between) {
    std::string text;
    for (const auto word : words) {
        text += formatted("{}{}", text.empty() ? "" : between, word);
    }
    return text;
}

bool same_word(std::string_view left, std::string_view right) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(left, right, {}, lower, lower);
}

Result<OptionValue> parse_flag(const OptionSpec& spec, std::string_view text) {
    constexpr std::array yes{"1", "yes", "y", "true", "t", "on"};
    constexpr std::array no{"0", "no", "n", "false", "f", "off"};
    const auto is_text = [text](std::string_view word) {
        return same_word(word, text);
    };
    if (std::ranges::any_of(yes, is_text)) {
        return true;
    }
    if (std::ranges::any_of(no, is_text)) {
        return false;
    }
    return wrong(spec, "expected yes or no, not \"{}\"", text);
}

Result<OptionValue> parse_span_option(const OptionSpec& spec, std::string_view text) {
    const auto span = parse_span(text);
    if (!span) {
        return wrong(spec, "{}", span.error().message);
    }
    const auto seconds = [](std::uint64_t count) {
        constexpr auto longest = std::chrono::floor<std::chrono::seconds>(forever);
        return count < static_cast<std::uint64_t>(longest.count())
                   ? Span{std::chrono::seconds{static_cast<std::int64_t>(count)}}
                   : forever;
    };
    if (*span < seconds(spec.least)) {
        return wrong(spec, "{} is too short, the least is {}", text, exact_span(seconds(spec.least)));
    }
    if (*span > seconds(spec.most)) {
        return wrong(spec, "{} is too long, the most is {}", text, exact_span(seconds(spec.most)));
    }
    return *span;
}

Result<OptionValue> parse_count(const OptionSpec& spec, std::string_view text) {
    std::uint64_t count{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
        return wrong(spec, "expected a whole number, not \"{}\"", text);
    }
    if (error == std::errc::result_out_of_range || count > spec.most) {
        return wrong(spec, "{} is too large, the most is {}", text, spec.most);
    }
    if (count < spec.least) {
        return wrong(spec, "{} is too small, the least is {}", text, spec.least);
    }
    return count;
}

/// Takes one word off the front of `text`, which begins with no blank. Nothing when a quote is not closed.
std::optional<std::string> take_word(std::string_view& text) {
    std::string word;
    char quote = '\0';
    std::size_t at = 0;
    for (; at < text.size() && (quote != '\0' || !blanks.contains(text[at])); ++at) {
        const char c = text[at];
        if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else if (quote == '"' && c == '\\' && at + 1 < text.size()) {
            word += text[++at];
        } else {
            word += c;
        }
    }
    text.remove_prefix(at);
    return quote == '\0' ? std::optional{word} : std::nullopt;
}

Result<OptionValue> parse_list(const OptionSpec& spec, std::string_view text) {
    std::vector<std::string> words;
    const auto all = text;
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
        if (text.empty()) {
            return words;
        }
        auto word = take_word(text);
        if (!word) {
            return wrong(spec, "a quote is not closed in: {}", all);
        }
        if (const auto good = spec.check == nullptr ? Result<>{} : spec.check(*word); !good) {
            return wrong(spec, "{}", good.error().message);
        }
        words.push_back(std::move(*word));
    }
}

Result<OptionValue> parse_choice(const OptionSpec& spec, std::string_view text) {
    if (std::ranges::contains(spec.choices, text)) {
        return std::string{text};
    }
    return wrong(spec, "expected one of {}, not \"{}\"", join(spec.choices, ", "), text);
}

std::string as_word(std::string_view word) {
    if (!word.empty() && word.find_first_of(" \t\"'") == std::string_view::npos) {
        return std::string{word};
    }
    std::string text{'"'};
    for (const char c : word) {
        if (c == '"' || c == '\\') {
            text += '\\';
        }
        text += c;
    }
    return text + '"';
}

} // namespace

OptionValues::OptionValues(std::span<const OptionSpec> table, std::span<const ListSpec> lists)
    : table_{table} {
    for (const OptionSpec& spec : table) {
        auto value = parse_option(spec, spec.preset);
        if (!value) {
            throw std::logic_error{"option table: " + value.error().message};
        }
        values_.emplace(spec.name, std::move(*value));
    }
    for (const ListSpec& spec : lists) {
        auto list = read_words(spec.text, spec.check);
        if (!list.mistakes.empty()) {
            throw std::logic_error{formatted("list {}: {}", spec.name, list.mistakes.front().reason)};
        }
        words_.emplace(spec.name, std::move(list.words));
    }
}

Result<void> OptionValues::set(std::string_view name, std::string_view text) {
    const auto spec = std::ranges::find(table_, name, &OptionSpec::name);
    if (spec == table_.end()) {
        throw std::out_of_range{formatted("no option {}", name)};
    }
    return parse_option(*spec, text).transform([&](OptionValue value) {
        values_.at(spec->name) = std::move(value);
    });
}

void OptionValues::add_words(std::string_view list, const std::vector<std::string>& words) {
    auto& known = words_.at(list);
    for (const std::string& word : words) {
        if (!std::ranges::contains(known, word)) {
            known.push_back(word);
        }
    }
}

Result<OptionValue> parse_option(const OptionSpec& spec, std::string_view text) {
    switch (spec.type) {
    case OptionType::flag:
        return parse_flag(spec, text);
    case OptionType::span:
        return parse_span_option(spec, text);
    case OptionType::count:
        return parse_count(spec, text);
    case OptionType::text:
        return std::string{text};
    case OptionType::list:
        return parse_list(spec, text);
    case OptionType::choice:
        return parse_choice(spec, text);
    }
    std::unreachable();
}

std::string to_text(const OptionValue& value) {
    struct Writer {
        std::string operator()(bool flag) const { return flag ? "yes" : "no"; }
        std::string operator()(Span span) const { return exact_span(span); }
        std::string operator()(std::uint64_t count) const { return std::to_string(count); }
        std::string operator()(const std::string& text) const { return text; }
        std::string operator()(const std::vector<std::string>& list) const {
            std::string text;
            for (const auto& word : list) {
                text += (text.empty() ? "" : " ") + as_word(word);
            }
            return text;
        }
    };
    return std::visit(Writer{}, value);
}

} // namespace egb
