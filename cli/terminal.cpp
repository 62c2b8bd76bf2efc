// SPDX-License-Identifier: Apache-2.0
#include "terminal.hpp"

#include <charconv>
#include <clocale>
#include <cstdlib>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace egb::cli {

namespace {

constexpr std::size_t usual_columns = 80;

Reader reader_of(int fd) {
    return isatty(fd) == 1 ? Reader::person : Reader::program;
}

std::optional<std::size_t> ask_columns(int fd) {
    winsize size{};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return std::nullopt;
    }
    return size.ws_col;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::optional<std::size_t> number(const std::string& text) {
    std::size_t value{};
    const auto* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stop == end && value > 0 ? std::optional{value} : std::nullopt;
}

} // namespace

TerminalFacts look_at_terminal() {
    std::setlocale(LC_ALL, "");
    const std::string_view codeset = nl_langinfo(CODESET);
    return {
        .in = reader_of(STDIN_FILENO),
        .out = reader_of(STDOUT_FILENO),
        .err = reader_of(STDERR_FILENO),
        .charset = codeset == "UTF-8" ? Charset::utf8 : Charset::ascii,
        .window_columns = ask_columns(STDOUT_FILENO),
        .columns = environment("COLUMNS"),
        .term = environment("TERM"),
        .no_color = environment("NO_COLOR"),
    };
}

std::optional<std::size_t> width_of(const TerminalFacts& facts) {
    if (facts.out == Reader::program) {
        return std::nullopt;
    }
    if (const auto wanted = number(facts.columns)) {
        return wanted;
    }
    return facts.window_columns.value_or(usual_columns);
}

std::string_view glyph(Mark mark, Charset charset) {
    const bool utf8 = charset == Charset::utf8;
    switch (mark) {
    case Mark::dot:
        return utf8 ? "●" : "*";
    case Mark::good:
        return utf8 ? "✓" : "+";
    case Mark::bad:
        return utf8 ? "✗" : "-";
    case Mark::note:
        return utf8 ? "–" : "~";
    }
    std::unreachable();
}

std::string_view ellipsis(Charset charset) {
    return charset == Charset::utf8 ? "…" : "...";
}

} // namespace egb::cli
