// SPDX-License-Identifier: Apache-2.0
#include "context.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <istream>
#include <ostream>
#include <utility>

namespace egb::cli {

namespace {

/// Longer lines are hard to read, however wide the terminal.
constexpr std::size_t widest_text = 100;

TerminalFacts of_error_stream(TerminalFacts facts) {
    facts.out = facts.err;
    return facts;
}

/// The daemon may have a password asked for where there is a terminal to type it on.
Asking asking(const GlobalOptions& options, const TerminalFacts& facts) {
    return !options.no_ask_password && facts.in == Reader::person ? Asking::on_terminal : Asking::never;
}

} // namespace

Context::Context(GlobalOptions options, TerminalFacts facts, Streams streams, std::string version)
    : options_{std::move(options)},
      facts_{std::move(facts)},
      streams_{streams},
      version_{std::move(version)},
      painter_{options_.colour, facts_},
      error_painter_{options_.colour, of_error_stream(facts_)} {}

bool Context::can_ask() const {
    return facts_.in == Reader::person && facts_.out == Reader::person;
}

std::string Context::mark(Mark mark) const {
    const auto style = mark == Mark::good ? Style::good : mark == Mark::bad ? Style::bad : Style::faint;
    return paint(style, glyph(mark, facts_.charset));
}

std::size_t Context::text_columns() const {
    return std::min(width_of(facts_).value_or(widest_text), widest_text);
}

Layout Context::layout() const {
    return {
        .columns = options_.full ? std::nullopt : width_of(facts_),
        .heading = options_.no_legend ? Heading::hidden : Heading::shown,
        .charset = facts_.charset,
        .painter = painter_,
    };
}

void Context::print(const Table& table) {
    streams_.out << table.render(layout());
}

void Context::print(const Json& json) {
    constexpr int indentation = 4;
    const int indent = facts_.out == Reader::person ? indentation : -1;
    streams_.out << json.dump(indent, ' ', false, Json::error_handler_t::replace) << '\n';
}

void Context::print_line(const Json& json) {
    streams_.out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
}

void Context::legend(std::string_view text) {
    if (!options_.no_legend && !options_.quiet) {
        streams_.out << text << '\n';
    }
}

void Context::tell(std::string_view text) {
    if (!options_.quiet) {
        streams_.out << text << '\n';
    }
}

void Context::note(std::string_view text) {
    if (!options_.quiet) {
        streams_.err << text << '\n';
    }
}

bool Context::confirm(std::string_view question) {
    streams_.out << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(streams_.in, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

ExitCode Context::fail(const Failure& failure) {
    streams_.err << error_painter_(Style::bad, "ghostctl:") << ' ' << failure.message << '\n';
    if (!failure.hint.empty()) {
        streams_.err << failure.hint << '\n';
    }
    return failure.code;
}

Answer<Client*> Context::bus() {
    if (!client_) {
        auto connected = Client::connect(
            {.address = options_.address, .timeout = options_.timeout, .asking = asking(options_, facts_)});
        if (!connected) {
            return std::unexpected(connected.error());
        }
        client_.emplace(*std::move(connected));
    }
    return &*client_;
}

Answer<Client*> Context::daemon() {
    return bus().and_then([](Client* client) -> Answer<Client*> {
        return client->find_daemon().transform([client] {
            return client;
        });
    });
}

} // namespace egb::cli
