// SPDX-License-Identifier: Apache-2.0
// Which sockets may be acted upon: the options Only= and Except= of the section [tcp]. Pure.
//
// Both are lists of words FIELD:PATTERN. About the socket:
//   port:8080, port:8000-8999     the port of either end; local-port: and remote-port: of one end
//   local:10.0.0.0/8, remote:::1  an address or a prefix; a v4-mapped address is an IPv4 address
// About a process that holds it:
//   unit:GLOB, comm:GLOB, exe:GLOB
//   container:GLOB                or the beginning of an id
//   uid:33, uid:1000-1999
#pragma once

#include "core/identity.hpp"
#include "core/option.hpp"
#include "core/result.hpp"

#include "bpf/tcp.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace egb::tcp {

class Scope {
public:
    /// Takes in nothing.
    Scope() = default;

    /// A failure names the word and says what was expected.
    [[nodiscard]] static Result<Scope> parse(const std::vector<std::string>& words);

    /// The same for one word, for the option table.
    [[nodiscard]] static Result<> check(std::string_view word);

    [[nodiscard]] bool empty() const { return words_.empty(); }

    /// The first word that is true of the socket or of any process that holds it.
    [[nodiscard]] std::optional<std::string_view> match(const egb_tcp_socket& socket,
                                                        std::span<const Holder> holders) const;

    /// The first word of which that cannot be said, because too little is known of who holds the socket.
    [[nodiscard]] std::optional<std::string_view> doubt(std::span<const Holder> holders) const;

    /// Whether some word is true of the socket, or of each process that holds it: to each its own.
    [[nodiscard]] bool covers(const egb_tcp_socket& socket, std::span<const Holder> holders) const;

private:
    using SocketTest = std::function<bool(const egb_tcp_socket&)>;
    using HolderTest = std::function<std::optional<bool>(const Process&)>; ///< nothing: that is not known
    using Test = std::variant<SocketTest, HolderTest>;

    struct Word {
        std::string text;
        Test test;
    };

    struct Field;
    struct Tests;

    [[nodiscard]] static Result<Word> parse_word(std::string_view text);
    [[nodiscard]] static bool is_true_of(const Word& word, const egb_tcp_socket& socket);
    [[nodiscard]] static bool is_true_of(const Word& word, const Holder& holder);
    [[nodiscard]] static bool is_open_for(const Word& word, const Holder& holder);

    std::vector<Word> words_;
};

/// What Only= takes in and Except= does not.
struct Bounds {
    Scope only; ///< empty: everything
    Scope except;

    /// Why this socket is out of bounds, as a clause; nothing when it is not. In doubt it is: everybody who
    /// holds it must be named by Only=, and nobody may be named by Except=.
    [[nodiscard]] std::optional<std::string> why_out(const egb_tcp_socket& socket,
                                                     std::span<const Holder> holders) const;
};

/// As the section [tcp] has them.
[[nodiscard]] Bounds bounds_of(const OptionValues& section);

} // namespace egb::tcp
