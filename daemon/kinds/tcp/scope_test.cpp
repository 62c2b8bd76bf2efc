// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/scope.hpp"

#include "harness/builders.hpp"
#include "kinds/tcp/options.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include <ostream>

namespace egb::tcp {
namespace {

using test::held_by;
using test::ProcessTraits;
using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

using Words = std::vector<std::string>;
using Holders = std::vector<Holder>;

const std::string id = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

egb_tcp_socket between(int family, const char* local, const char* remote) {
    egb_tcp_socket socket{};
    socket.family = static_cast<__u8>(family);
    EXPECT_EQ(::inet_pton(family, local, socket.local), 1) << local;
    EXPECT_EQ(::inet_pton(family, remote, socket.remote), 1) << remote;
    socket.local_port = 8080;
    socket.remote_port = 51234;
    return socket;
}

const egb_tcp_socket four = between(AF_INET, "10.1.2.3", "192.0.2.7");
const egb_tcp_socket six = between(AF_INET6, "2001:db8::1", "fe80::7");
const egb_tcp_socket mapped = between(AF_INET6, "::ffff:10.1.2.3", "::ffff:192.0.2.7");

Scope scope_of(const Words& words) {
    auto scope = Scope::parse(words);
    EXPECT_TRUE(scope) << scope.error().message;
    return scope.value_or(Scope{});
}

bool matches(const std::string& word, const egb_tcp_socket& socket, const Holders& holders = {}) {
    return scope_of({word}).match(socket, holders).has_value();
}

Holders both(const ProcessTraits& one, const ProcessTraits& other) {
    auto holders = held_by(one);
    holders.push_back(held_by(other).front());
    return holders;
}

struct OfSocket {
    std::string word;
    const egb_tcp_socket* socket;
    bool matches;
};

void PrintTo(const OfSocket& sample, std::ostream* out) {
    *out << sample.word << " of "
         << (sample.socket == &four  ? "IPv4"
             : sample.socket == &six ? "IPv6"
                                     : "mapped");
}

class WordOfSocket : public testing::TestWithParam<OfSocket> {};

TEST_P(WordOfSocket, is_true_or_not) {
    const auto& [word, socket, expected] = GetParam();
    EXPECT_EQ(matches(word, *socket), expected);
    EXPECT_EQ(scope_of({word}).covers(*socket, {}), expected);
    EXPECT_EQ(scope_of({word}).doubt({}), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    ports, WordOfSocket,
    testing::Values(OfSocket{"port:8080", &four, true}, OfSocket{"port:51234", &four, true},
                    OfSocket{"port:80", &four, false}, OfSocket{"port:8000-8999", &four, true},
                    OfSocket{"port:8080-8080", &four, true}, OfSocket{"port:8081-51233", &four, false},
                    OfSocket{"port:1-65535", &six, true}, OfSocket{"local-port:8080", &four, true},
                    OfSocket{"local-port:51234", &four, false}, OfSocket{"remote-port:51234", &six, true},
                    OfSocket{"remote-port:8080", &six, false}));

INSTANTIATE_TEST_SUITE_P(
    addresses, WordOfSocket,
    testing::Values(OfSocket{"local:10.1.2.3", &four, true}, OfSocket{"local:10.0.0.0/8", &four, true},
                    OfSocket{"local:10.1.2.2/31", &four, true}, OfSocket{"local:10.1.2.0/31", &four, false},
                    OfSocket{"local:10.1.0.0/17", &four, true}, OfSocket{"local:10.1.128.0/17", &four, false},
                    OfSocket{"local:192.0.2.7", &four, false}, OfSocket{"remote:192.0.2.7", &four, true},
                    OfSocket{"remote:0.0.0.0/0", &four, true}, OfSocket{"local:2001:db8::/32", &six, true},
                    OfSocket{"local:2001:db8::1", &six, true}, OfSocket{"local:2001:db8::2", &six, false},
                    OfSocket{"remote:fe80::/10", &six, true}, OfSocket{"remote:fec0::/10", &six, false},
                    OfSocket{"remote:::/0", &six, true}));

INSTANTIATE_TEST_SUITE_P(
    mapped_addresses_are_ipv4, WordOfSocket,
    testing::Values(
        OfSocket{"local:10.0.0.0/8", &mapped, true}, OfSocket{"local:11.0.0.0/8", &mapped, false},
        OfSocket{"remote:192.0.2.7", &mapped, true}, OfSocket{"remote:0.0.0.0/0", &mapped, true},
        OfSocket{"remote:::/0", &mapped, false}, OfSocket{"remote:0.0.0.0/0", &six, false},
        OfSocket{"remote:::/0", &four, false}, OfSocket{"local:::ffff:10.0.0.0/104", &mapped, true},
        OfSocket{"local:::ffff:10.0.0.0/104", &four, true}, OfSocket{"local:::ffff:0.0.0.0/96", &four, true},
        OfSocket{"local:::ffff:0.0.0.0/96", &six, false}, OfSocket{"local:::ffff:10.1.2.4", &four, false}));

struct OfHolder {
    std::string word;
    ProcessTraits holder;
    bool matches;
};

void PrintTo(const OfHolder& sample, std::ostream* out) {
    *out << sample.word;
}

class WordOfHolder : public testing::TestWithParam<OfHolder> {};

TEST_P(WordOfHolder, is_true_or_not) {
    const auto& [word, traits, expected] = GetParam();
    EXPECT_EQ(matches(word, four, held_by(traits)), expected);
    EXPECT_EQ(scope_of({word}).covers(four, held_by(traits)), expected);
    EXPECT_EQ(scope_of({word}).doubt(held_by(traits)), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    holders, WordOfHolder,
    testing::Values(OfHolder{"unit:shop-*", {.unit = "shop-web.service"}, true},
                    OfHolder{"unit:web.service", {.unit = "shop-web.service"}, false},
                    OfHolder{R"(unit:srv\x2d*.service)", {.unit = R"(srv\x2dlock.service)"}, true},
                    OfHolder{"unit:*", {.unit = "a.service"}, true}, OfHolder{"unit:*", {.unit = ""}, false},
                    OfHolder{"comm:java", {.comm = "java"}, true},
                    OfHolder{"comm:java", {.comm = "javac"}, false},
                    OfHolder{"comm:a:b", {.comm = "a:b"}, true},
                    OfHolder{"exe:/opt/*/bin/x", {.exe = "/opt/a/b/bin/x"}, true},
                    OfHolder{"exe:*/java", {.exe = "/usr/bin/java"}, true},
                    OfHolder{"exe:/usr/bin/java", {.exe = "/usr/bin/javac"}, false},
                    OfHolder{"container:web", {.container = "web"}, true},
                    OfHolder{"container:web", {.container = "web2"}, false},
                    OfHolder{"container:web*", {.container = "web2"}, true},
                    OfHolder{"container:9f86", {.container = id}, true},
                    OfHolder{"container:" + id, {.container = id}, true},
                    OfHolder{"container:f86d", {.container = id}, false},
                    OfHolder{"container:9f86*0a08", {.container = id}, true},
                    OfHolder{"container:9f86", {.container = ""}, false},
                    OfHolder{"uid:33", {.uid = 33}, true}, OfHolder{"uid:33", {.uid = 34}, false},
                    OfHolder{"uid:0", {.uid = 0}, true}, OfHolder{"uid:1000-1999", {.uid = 1999}, true},
                    OfHolder{"uid:1000-1999", {.uid = 2000}, false},
                    OfHolder{"uid:0-4294967294", {.uid = 4294967294}, true}));

struct Mistake {
    std::string word;
    std::string reason;
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
    *out << testing::PrintToString(mistake.word);
}

class WrongWord : public testing::TestWithParam<Mistake> {};

TEST_P(WrongWord, is_refused_with_what_was_expected) {
    const auto& [word, reason] = GetParam();
    const auto scope = Scope::parse({"port:80", word});
    ASSERT_FALSE(scope);
    EXPECT_EQ(scope.error().code, ErrorCode::invalid);
    EXPECT_THAT(scope.error().message, testing::AllOf(HasSubstr(word), HasSubstr(reason)));
    EXPECT_EQ(Scope::check(word).error(), scope.error());
}

constexpr const char* shape = "expected FIELD:PATTERN";
constexpr const char* a_port = "expected a number from 1 to 65535, or a range of them";
constexpr const char* an_address = "expected an address, or a prefix such as 10.0.0.0/8 or fe80::/10";

INSTANTIATE_TEST_SUITE_P(
    words, WrongWord,
    testing::Values(
        Mistake{"", shape}, Mistake{"8080", shape}, Mistake{"port:", shape}, Mistake{"unit:", shape},
        Mistake{
            "prt:80",
            "expected one of port, local-port, remote-port, local, remote, unit, container, uid, exe, comm"},
        Mistake{"Port:80", "expected one of port"}, Mistake{":80", "expected one of port"},
        Mistake{"port:http", a_port}, Mistake{"port:0", a_port}, Mistake{"port:65536", a_port},
        Mistake{"port:99999999999", a_port}, Mistake{"port:-80", a_port}, Mistake{"port:80-", a_port},
        Mistake{"port:80-90-100", a_port}, Mistake{"port: 80", a_port}, Mistake{"port:+80", a_port},
        Mistake{"port:90-80", "the range ends before it begins"},
        Mistake{"uid:www-data", "expected a number from 0 to 4294967294"},
        Mistake{"uid:4294967295", "expected a number from 0 to 4294967294"},
        Mistake{"local:10.0.0/8", an_address}, Mistake{"local:10.0.0.0.0", an_address},
        Mistake{"local:[::1]", an_address}, Mistake{"local:fe80::1%eth0", an_address},
        Mistake{"remote:localhost", an_address}, Mistake{"remote:/8", an_address},
        Mistake{"remote:10.0.0.0/", "expected a prefix length from 0 to 32"},
        Mistake{"remote:10.0.0.0/33", "expected a prefix length from 0 to 32"},
        Mistake{"remote:::/129", "expected a prefix length from 0 to 128"},
        Mistake{"remote:10.0.0.1/8", "the network is 10.0.0.0/8"},
        Mistake{"remote:fe80::1/10", "the network is fe80::/10"},
        Mistake{"remote:::ffff:10.0.0.0/80", "the network is ::/80"},
        Mistake{"unit:nginx", "did you mean nginx.service?"},
        Mistake{"unit:machine.slice", "no process is in a unit of this name"},
        Mistake{"exe:java", "did you mean */java?"},
        Mistake{"comm:prometheus-node-exporter", "did you mean prometheus-node?"}));

TEST(Scope, takes_in_nothing_by_itself) {
    EXPECT_TRUE(scope_of({}).empty());
    EXPECT_EQ(scope_of({}).match(four, held_by({})), std::nullopt);
    EXPECT_FALSE(scope_of({}).covers(four, held_by({})));
    EXPECT_FALSE(scope_of({"port:80"}).empty());
}

TEST(Scope, takes_in_what_any_word_is_true_of) {
    const auto scope = scope_of({"port:80", "unit:db.service", "port:8080"});
    EXPECT_THAT(scope.match(four, {}), Optional(Eq("port:8080")));
    EXPECT_THAT(scope.match(four, held_by({.unit = "db.service"})), Optional(Eq("unit:db.service")));
}

TEST(Scope, matches_for_the_sake_of_any_holder_and_covers_only_all_of_them) {
    const auto mixed = both({.unit = "db.service"}, {.uid = 33, .unit = "web.service"});
    EXPECT_TRUE(scope_of({"unit:db.service"}).match(four, mixed));
    EXPECT_FALSE(scope_of({"unit:db.service"}).covers(four, mixed));
    EXPECT_TRUE(scope_of({"unit:db.service", "uid:33"}).covers(four, mixed)) << "to each its own word";
    EXPECT_TRUE(scope_of({"unit:db.service", "port:8080"}).covers(four, mixed));
    EXPECT_FALSE(scope_of({"unit:*"}).covers(four, {})) << "nobody is not everybody";
}

TEST(Scope, is_in_doubt_about_who_is_not_known) {
    const auto stranger = held_by({.uid = 0, .comm = "?", .exe = "", .unit = "", .known = false});
    for (const auto* const word : {"unit:*", "container:*", "uid:0", "exe:*", "comm:?"}) {
        const auto scope = scope_of({"port:80", word});
        EXPECT_EQ(scope.match(four, stranger), std::nullopt) << word;
        EXPECT_FALSE(scope.covers(four, stranger)) << word;
        EXPECT_THAT(scope.doubt(stranger), Optional(Eq(word)));
        EXPECT_THAT(scope.doubt({}), Optional(Eq(word)));
        EXPECT_EQ(scope.doubt(held_by({})), std::nullopt);
    }
    EXPECT_THAT(scope_of({"exe:*"}).doubt(held_by({.exe = ""})), Optional(Eq("exe:*")));
    EXPECT_THAT(scope_of({"uid:5"}).doubt(both({}, {.known = false})), Optional(Eq("uid:5")));
}

class BoundsTest : public testing::Test {
protected:
    std::optional<std::string> why_out(std::string_view only, std::string_view except,
                                       const Holders& holders) {
        OptionValues section{options};
        EXPECT_TRUE(section.set("Only", only));
        EXPECT_TRUE(section.set("Except", except));
        return bounds_of(section).why_out(four, holders);
    }
};

TEST_F(BoundsTest, are_none_by_default) {
    EXPECT_EQ(why_out("", "", held_by({})), std::nullopt);
    EXPECT_EQ(why_out("", "", {}), std::nullopt);
}

TEST_F(BoundsTest, leave_out_what_only_does_not_name) {
    EXPECT_EQ(why_out("port:8080", "", {}), std::nullopt);
    EXPECT_EQ(why_out("unit:db.service", "", held_by({.unit = "db.service"})), std::nullopt);
    constexpr const char* why =
        "it is out of bounds: Only= names neither the socket nor everybody who holds it";
    EXPECT_EQ(why_out("port:80", "", held_by({})), why);
    EXPECT_EQ(why_out("unit:db.service", "", both({.unit = "db.service"}, {.unit = "web.service"})), why);
    EXPECT_EQ(why_out("unit:db.service", "", {}), why);
    EXPECT_EQ(why_out("uid:0", "", held_by({.uid = 0, .known = false})), why);
}

TEST_F(BoundsTest, leave_out_what_except_names_or_may_name) {
    EXPECT_EQ(why_out("port:8080", "local:10.0.0.0/8", {}), "it is out of bounds by Except=local:10.0.0.0/8");
    EXPECT_EQ(why_out("", "unit:db.service", both({.unit = "db.service"}, {.unit = "web.service"})),
              "it is out of bounds by Except=unit:db.service");
    constexpr const char* why =
        "it may be out of bounds by Except=unit:db.service: too little is known of who holds it";
    EXPECT_EQ(why_out("", "unit:db.service", {}), why);
    EXPECT_EQ(why_out("", "port:80 unit:db.service", both({}, {.known = false})), why);
    EXPECT_EQ(why_out("", "unit:db.service", held_by({.unit = "web.service"})), std::nullopt);
    EXPECT_EQ(why_out("", "port:80", {}), std::nullopt);
}

TEST_F(BoundsTest, are_refused_as_any_other_wrong_value_is) {
    OptionValues section{options};
    EXPECT_EQ(
        section.set("Except", "port:80 'unit:a b.service' prt:81").error().message,
        "Except: prt:81: expected one of port, local-port, remote-port, local, remote, unit, container, uid, "
        "exe, comm before the colon");
    EXPECT_TRUE(section.set("Except", "port:80 'unit:a b.service'"));
}

} // namespace
} // namespace egb::tcp
