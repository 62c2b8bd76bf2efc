// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/scope.hpp"

#include "core/format.hpp"
#include "core/glob.hpp"
#include "kinds/tcp/record.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <ranges>
#include <span>
#include <system_error>
#include <utility>

namespace egb::tcp {

namespace {

template <typename... Args>
std::unexpected<Error> wrong(std::format_string<Args...> format, Args&&... args) {
    return fail(ErrorCode::invalid, format, std::forward<Args>(args)...);
}

// Numbers

struct Range {
    std::uint32_t first{};
    std::uint32_t last{};

    [[nodiscard]] bool contains(std::uint32_t number) const { return first <= number && number <= last; }
};

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

/// "N" or "N-M", both within the bounds.
Result<Range> parse_range(std::string_view text, Range bounds) {
    const auto dash = text.find('-');
    const auto first = number(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number(text.substr(dash + 1));
    if (!first || !last || !bounds.contains(*first) || !bounds.contains(*last)) {
        return wrong("expected a number from {} to {}, or a range of them", bounds.first, bounds.last);
    }
    if (*last < *first) {
        return wrong("the range ends before it begins");
    }
    return Range{*first, *last};
}

// Addresses

/// IPv4 has the first four bytes.
struct Address {
    int family{};
    std::array<std::uint8_t, 16> bytes{};

    [[nodiscard]] unsigned bits() const { return family == AF_INET ? 32 : 128; }
};

constexpr unsigned mapped_bits = 96;

/// A v4-mapped address becomes the IPv4 address that it is.
Address plain(Address address) {
    if (address.family == AF_INET6 && is_mapped(address.bytes)) {
        Address four{.family = AF_INET, .bytes = {}};
        std::ranges::copy(std::span{address.bytes}.last<4>(), four.bytes.begin());
        return four;
    }
    return address;
}

Address address_of(std::uint8_t family, std::span<const std::uint8_t, 16> bytes) {
    Address address{.family = family, .bytes = {}};
    std::ranges::copy(bytes, address.bytes.begin());
    return plain(address);
}

std::optional<Address> parse_address(std::string_view text) {
    const std::string terminated{text};
    for (const int family : {AF_INET, AF_INET6}) {
        Address address{.family = family, .bytes = {}};
        if (::inet_pton(family, terminated.c_str(), address.bytes.data()) == 1) {
            return address;
        }
    }
    return std::nullopt;
}

std::string text_of(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const char* const written = ::inet_ntop(address.family, address.bytes.data(), text.data(), text.size());
    return written == nullptr ? std::string{} : std::string{written};
}

/// Without what is behind the first so many bits.
Address network_of(Address address, unsigned bits) {
    for (std::size_t at = 0; at < address.bytes.size(); ++at) {
        const auto before = static_cast<unsigned>(at) * 8;
        const unsigned kept = std::clamp(bits, before, before + 8) - before;
        address.bytes.at(at) &= static_cast<std::uint8_t>(0xff00U >> kept);
    }
    return address;
}

struct Prefix {
    Address network;
    unsigned bits{};

    [[nodiscard]] bool contains(const Address& address) const {
        return address.family == network.family && network_of(address, bits).bytes == network.bytes;
    }
};

Result<Prefix> parse_prefix(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) {
        return wrong("expected an address, or a prefix such as 10.0.0.0/8 or fe80::/10");
    }
    const auto bits =
        slash == std::string_view::npos ? std::optional{address->bits()} : number(text.substr(slash + 1));
    if (!bits || *bits > address->bits()) {
        return wrong("expected a prefix length from 0 to {}", address->bits());
    }
    const auto network = network_of(*address, *bits);
    if (network.bytes != address->bytes) {
        return wrong("there are bits behind the prefix; the network is {}/{}", text_of(network), *bits);
    }
    const auto unmapped = plain(network);
    const bool mapped = unmapped.family != network.family;
    return Prefix{.network = unmapped, .bits = mapped ? *bits - mapped_bits : *bits};
}

// Names

bool has_wildcard(std::string_view pattern) {
    return pattern.find_first_of("*?[") != std::string_view::npos;
}

bool is_container_id(std::string_view name) {
    constexpr std::size_t length = 64; // SHA-256 in hex
    return name.size() == length && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A pattern that cannot match anything is a mistake, and a bad one in Except=.

Result<> check_unit(std::string_view pattern) {
    constexpr std::array<std::string_view, 5> suffixes{".service", ".scope", ".socket", ".mount", ".swap"};
    const bool whole = std::ranges::any_of(suffixes, [pattern](std::string_view suffix) {
        return pattern.ends_with(suffix);
    });
    return whole || has_wildcard(pattern)
               ? Result<>{}
               : wrong("no process is in a unit of this name: did you mean {}.service?", pattern);
}

Result<> check_exe(std::string_view pattern) {
    return pattern.starts_with('/') || has_wildcard(pattern)
               ? Result<>{}
               : wrong("a path begins with /: did you mean */{}?", pattern);
}

Result<> check_comm(std::string_view pattern) {
    constexpr std::size_t most = 15; // TASK_COMM_LEN without its end
    // A backslash may stand for a byte that is no text.
    return pattern.size() <= most || has_wildcard(pattern) || pattern.contains('\\')
               ? Result<>{}
               : wrong("the kernel keeps {} characters of a command's name: did you mean {}?", most,
                       pattern.substr(0, most));
}

} // namespace

/// From a pattern to a test.
struct Scope::Tests {
    using Port = decltype(&egb_tcp_socket::local_port);
    using End = decltype(&egb_tcp_socket::local);
    using Name = std::string Process::*;

    static Result<Test> of_ports(std::string_view pattern, std::vector<Port> ports) {
        constexpr Range all{1, std::numeric_limits<std::uint16_t>::max()};
        return parse_range(pattern, all).transform([&ports](Range range) {
            return Test{SocketTest{[range, ports = std::move(ports)](const egb_tcp_socket& socket) {
                return std::ranges::any_of(ports, [&](Port port) {
                    return range.contains(socket.*port);
                });
            }}};
        });
    }

    static Result<Test> of_address(std::string_view pattern, End end) {
        return parse_prefix(pattern).transform([end](const Prefix& prefix) {
            return Test{SocketTest{[prefix, end](const egb_tcp_socket& socket) {
                return prefix.contains(address_of(socket.family, socket.*end));
            }}};
        });
    }

    static Result<Test> of_uids(std::string_view pattern) {
        constexpr Range all{0, std::numeric_limits<std::uint32_t>::max() - 1}; // the last one is nobody's
        return parse_range(pattern, all).transform([](Range range) {
            return about_known([range](const Process& process) {
                return range.contains(process.uid);
            });
        });
    }

    static Result<Test> of_name(std::string_view pattern, Name name, const Result<>& can_match) {
        return can_match.transform([pattern, name] {
            return about_known([glob = std::string{pattern}, name](const Process& process) {
                return glob_matches(glob, process.*name);
            });
        });
    }

    static Result<Test> of_exe(std::string_view pattern) {
        return check_exe(pattern).transform([pattern] {
            return Test{HolderTest{[glob = std::string{pattern}](const Process& process) {
                // It is empty where we may not look.
                return process.exe.empty() ? std::nullopt : std::optional{glob_matches(glob, process.exe)};
            }}};
        });
    }

    static Result<Test> of_container(std::string_view pattern) {
        return about_known([glob = std::string{pattern}](const Process& process) {
            const std::string& name = process.container;
            return (is_container_id(name) && name.starts_with(glob)) || glob_matches(glob, name);
        });
    }

private:
    template <typename T>
    static Test about_known(T test) {
        return HolderTest{[test = std::move(test)](const Process& process) {
            return process.known ? std::optional{test(process)} : std::nullopt;
        }};
    }
};

struct Scope::Field {
    std::string_view name;
    Result<Test> (*parse)(std::string_view pattern);

    static const std::array<Field, 10> all;
};

const std::array<Scope::Field, 10> Scope::Field::all{{
    {"port",
     [](std::string_view pattern) {
         return Tests::of_ports(pattern, {&egb_tcp_socket::local_port, &egb_tcp_socket::remote_port});
     }},
    {"local-port",
     [](std::string_view pattern) {
         return Tests::of_ports(pattern, {&egb_tcp_socket::local_port});
     }},
    {"remote-port",
     [](std::string_view pattern) {
         return Tests::of_ports(pattern, {&egb_tcp_socket::remote_port});
     }},
    {"local",
     [](std::string_view pattern) {
         return Tests::of_address(pattern, &egb_tcp_socket::local);
     }},
    {"remote",
     [](std::string_view pattern) {
         return Tests::of_address(pattern, &egb_tcp_socket::remote);
     }},
    {"unit",
     [](std::string_view pattern) {
         return Tests::of_name(pattern, &Process::unit, check_unit(pattern));
     }},
    {"container", &Tests::of_container},
    {"uid", &Tests::of_uids},
    {"exe", &Tests::of_exe},
    {"comm",
     [](std::string_view pattern) {
         return Tests::of_name(pattern, &Process::comm, check_comm(pattern));
     }},
}};

Result<Scope::Word> Scope::parse_word(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon + 1 == text.size()) {
        return wrong("expected FIELD:PATTERN, such as port:8080 or unit:nginx.service, not \"{}\"", text);
    }
    const auto* const field = std::ranges::find(Field::all, text.substr(0, colon), &Field::name);
    if (field == Field::all.end()) {
        const auto names = Field::all | std::views::transform(&Field::name);
        return wrong("{}: expected one of {} before the colon", text,
                     names | std::views::join_with(std::string_view{", "}) | std::ranges::to<std::string>());
    }
    auto test = field->parse(text.substr(colon + 1));
    if (!test) {
        return wrong("{}: {}", text, test.error().message);
    }
    return Word{.text = std::string{text}, .test = std::move(*test)};
}

Result<> Scope::check(std::string_view word) {
    return parse_word(word).transform([](const Word&) {});
}

Result<Scope> Scope::parse(const std::vector<std::string>& words) {
    Scope scope;
    for (const auto& text : words) {
        auto word = parse_word(text);
        if (!word) {
            return std::unexpected(std::move(word.error()));
        }
        scope.words_.push_back(std::move(*word));
    }
    return scope;
}

bool Scope::is_true_of(const Word& word, const egb_tcp_socket& socket) {
    const auto* test = std::get_if<SocketTest>(&word.test);
    return test != nullptr && (*test)(socket);
}

bool Scope::is_true_of(const Word& word, const Holder& holder) {
    const auto* test = std::get_if<HolderTest>(&word.test);
    return test != nullptr && (*test)(*holder.process) == true;
}

bool Scope::is_open_for(const Word& word, const Holder& holder) {
    const auto* test = std::get_if<HolderTest>(&word.test);
    return test != nullptr && !(*test)(*holder.process);
}

std::optional<std::string_view> Scope::match(const egb_tcp_socket& socket,
                                             std::span<const Holder> holders) const {
    const auto word = std::ranges::find_if(words_, [&](const Word& candidate) {
        return is_true_of(candidate, socket) || std::ranges::any_of(holders, [&](const Holder& holder) {
                   return is_true_of(candidate, holder);
               });
    });
    return word == words_.end() ? std::nullopt : std::optional<std::string_view>{word->text};
}

std::optional<std::string_view> Scope::doubt(std::span<const Holder> holders) const {
    const auto word = std::ranges::find_if(words_, [&](const Word& candidate) {
        return (holders.empty() && std::holds_alternative<HolderTest>(candidate.test)) ||
               std::ranges::any_of(holders, [&](const Holder& holder) {
                   return is_open_for(candidate, holder);
               });
    });
    return word == words_.end() ? std::nullopt : std::optional<std::string_view>{word->text};
}

bool Scope::covers(const egb_tcp_socket& socket, std::span<const Holder> holders) const {
    const auto has_word_for = [this](const auto& whom) {
        return std::ranges::any_of(words_, [&whom](const Word& word) {
            return is_true_of(word, whom);
        });
    };
    return has_word_for(socket) || (!holders.empty() && std::ranges::all_of(holders, has_word_for));
}

std::optional<std::string> Bounds::why_out(const egb_tcp_socket& socket,
                                           std::span<const Holder> holders) const {
    if (const auto word = except.match(socket, holders)) {
        return formatted("it is out of bounds by Except={}", *word);
    }
    if (const auto word = except.doubt(holders)) {
        return formatted("it may be out of bounds by Except={}: too little is known of who holds it", *word);
    }
    if (!only.empty() && !only.covers(socket, holders)) {
        return "it is out of bounds: Only= names neither the socket nor everybody who holds it";
    }
    return std::nullopt;
}

Bounds bounds_of(const OptionValues& section) {
    // No value gets into a section without Scope::check().
    return {.only = Scope::parse(section.list("Only")).value(),
            .except = Scope::parse(section.list("Except")).value()};
}

} // namespace egb::tcp
