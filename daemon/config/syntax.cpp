// SPDX-License-Identifier: Apache-2.0
#include "config/syntax.hpp"

#include "core/format.hpp"
#include "core/lines.hpp"
#include "core/utf8.hpp"

#include <optional>
#include <utility>

namespace egb::config {

namespace {

/// For a message: the beginning is enough to find the place.
std::string shortened(std::string_view text) {
    constexpr std::size_t most = 60;
    return text.size() <= most ? std::string{text} : printable(text.substr(0, most)) + "...";
}

bool is_comment(std::string_view line) {
    const auto text = trimmed(line);
    return text.starts_with('#') || text.starts_with(';');
}

/// An even number of backslashes is as many of them, escaped.
bool goes_on(std::string_view line) {
    const auto backslashes = line.size() - (line.find_last_not_of('\\') + 1);
    return backslashes % 2 == 1;
}

std::unexpected<Error> wrong(std::size_t line, std::string_view reason) {
    return fail(ErrorCode::invalid, "{}: {}", line, reason);
}

class Parser {
public:
    [[nodiscard]] Result<> take_line(std::size_t number, std::string_view line) {
        if (const auto good = check_line(line); !good) {
            return wrong(number, good.error().message);
        }
        if (is_comment(line)) {
            return {};
        }
        if (!pending_) {
            pending_ = Pending{.first_line = number, .last_line = number, .text = {}};
        }
        pending_->last_line = number;
        if (goes_on(line)) {
            pending_->text.append(line.substr(0, line.size() - 1)).append(" ");
            return {};
        }
        pending_->text.append(line);
        return finish();
    }

    /// systemd lets that pass; here it is taken for the half of something.
    [[nodiscard]] Result<> check_end() const {
        return pending_ ? wrong(pending_->last_line, "a backslash at the end, and no line after it")
                        : Result<>{};
    }

    [[nodiscard]] std::vector<Statement> statements() && { return std::move(statements_); }

private:
    struct Pending {
        std::size_t first_line{};
        std::size_t last_line{};
        std::string text;
    };

    Result<> finish() {
        const auto statement = std::exchange(pending_, std::nullopt);
        const auto text = statement ? trimmed(statement->text) : std::string_view{};
        if (text.empty()) {
            return {};
        }
        return text.front() == '[' ? take_heading(*statement, text) : take_assignment(*statement, text);
    }

    Result<> take_heading(const Pending& at, std::string_view text) {
        const auto name = text.substr(1, text.size() - 2);
        if (text.size() < 3 || !text.ends_with(']') || name.find_first_of("[]") != std::string_view::npos) {
            return wrong(at.first_line, formatted("expected [SECTION], not {}", shortened(text)));
        }
        section_ = name;
        add(at, {}, {});
        return {};
    }

    Result<> take_assignment(const Pending& at, std::string_view text) {
        const auto equals = text.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            return wrong(at.first_line,
                         formatted("expected NAME=VALUE or [SECTION], not {}", shortened(text)));
        }
        const auto name = trimmed(text.substr(0, equals));
        if (section_.empty()) {
            return wrong(at.first_line, formatted("{}= stands before any [SECTION]", shortened(name)));
        }
        add(at, name, trimmed(text.substr(equals + 1)));
        return {};
    }

    void add(const Pending& at, std::string_view name, std::string_view value) {
        statements_.push_back({.first_line = at.first_line,
                               .last_line = at.last_line,
                               .section = section_,
                               .name = std::string{name},
                               .value = std::string{value}});
    }

    std::string section_;
    std::optional<Pending> pending_;
    std::vector<Statement> statements_;
};

} // namespace

Result<std::vector<Statement>> parse(std::string_view text) {
    text = without_byte_order_mark(text);
    Parser parser;
    std::size_t number = 0;
    for (const auto line : lines_of(text)) {
        if (auto taken = parser.take_line(++number, line); !taken) {
            return std::unexpected(taken.error());
        }
    }
    return parser.check_end().transform([&parser] {
        return std::move(parser).statements();
    });
}

} // namespace egb::config
