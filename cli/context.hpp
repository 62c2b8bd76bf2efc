// SPDX-License-Identifier: Apache-2.0
// What every verb gets: the options that all of them have, the streams, the way to print, the daemon. Made
// once per run, one thread.
#pragma once

#include "client.hpp"
#include "colour.hpp"
#include "failure.hpp"
#include "model.hpp"
#include "table.hpp"
#include "terminal.hpp"

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace egb::cli {

/// The options that stand before or behind any verb.
struct GlobalOptions {
    bool json{};
    bool quiet{};
    bool no_legend{};
    bool full{};
    bool no_ask_password{};
    ColourMode colour{ColourMode::automatic};
    std::string address;
    Span timeout{ConnectOptions::default_timeout};
};

struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
};

class Context {
public:
    Context(GlobalOptions options, TerminalFacts facts, Streams streams, std::string version);

    [[nodiscard]] const GlobalOptions& options() const { return options_; }
    [[nodiscard]] const std::string& version() const { return version_; }
    [[nodiscard]] Charset charset() const { return facts_.charset; }

    /// Somebody types and reads: there is somebody to ask.
    [[nodiscard]] bool can_ask() const;

    /// Somebody reads standard output as it is written.
    [[nodiscard]] bool writes_to_person() const { return facts_.out == Reader::person; }
    /// How a table is to look.
    [[nodiscard]] Layout layout() const;

    [[nodiscard]] std::ostream& out() { return streams_.out; }
    [[nodiscard]] std::string paint(Style style, std::string_view text) const {
        return painter_(style, text);
    }
    [[nodiscard]] std::string mark(Mark mark) const;
    /// How wide running text may be.
    [[nodiscard]] std::size_t text_columns() const;

    void print(const Table& table);
    /// Indented for a person, one line for a program.
    void print(const Json& json);
    /// One line, whoever reads it.
    void print_line(const Json& json);
    /// What stands under a table; not with --no-legend or --quiet.
    void legend(std::string_view text);
    /// What came of it, in a sentence; not with --quiet.
    void tell(std::string_view text);
    /// Something worth knowing that is not the answer: standard error, and not with --quiet.
    void note(std::string_view text);
    /// A question that is answered by "y" or by anything else.
    [[nodiscard]] bool confirm(std::string_view question);

    /// Tells what went wrong and what to do about it.
    ExitCode fail(const Failure& failure);

    /// The bus, whether or not the daemon is on it. Connects once.
    [[nodiscard]] Answer<Client*> bus();
    /// The daemon, found to be running.
    [[nodiscard]] Answer<Client*> daemon();

private:
    GlobalOptions options_;
    TerminalFacts facts_;
    Streams streams_;
    std::string version_;
    Painter painter_;
    Painter error_painter_;
    std::optional<Client> client_;
};

} // namespace egb::cli
