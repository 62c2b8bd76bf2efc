// SPDX-License-Identifier: Apache-2.0
#include "contract/nonsense.hpp"

#include "contract/interface_xml.hpp"
#include "core/format.hpp"

#include <array>
#include <memory>
#include <utility>

namespace egb::test {

namespace {

constexpr int deepest = 5;

/// Words that mean something to somebody, and some that never should.
constexpr std::array<const char*, 20> words{
    "",      "fake",           "kind",     "grade",           "proven", "min_age", "ghost", "since",
    "Clean", "Veto",           "never",    "suspected",       "/",      "/proc",   "../..", "%n%s%x",
    "{}",    "$(id)\n\x1b[2J", "\xC3\xA4", "\xF0\x9F\x91\xBB"};
constexpr std::array<const char*, 14> held_types{"y", "b", "i", "u",  "t",  "s",     "d",
                                                 "o", "g", "v", "as", "at", "a{sv}", "(sa(iv))"};
constexpr std::array<const char*, 8> odd_signatures{"", "s", "v", "at", "a{sv}", "(ss)", "aas", "a{s(iv)}"};
constexpr std::array<std::uint64_t, 8> edges{0, 1, 2, 1'000, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};

struct MessageUnref {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using MessagePtr = std::unique_ptr<sd_bus_message, MessageUnref>;

/// The first complete type of a signature, which is well-formed.
std::string_view first_type(std::string_view signature) {
    std::size_t end = 0;
    while (signature[end] == 'a') {
        ++end;
    }
    int open = 0;
    do {
        const char c = signature[end++];
        open += c == '(' || c == '{' ? 1 : 0;
        open -= c == ')' || c == '}' ? 1 : 0;
    } while (open > 0);
    return signature.substr(0, end);
}

} // namespace

std::vector<Target> targets(Client& client) {
    std::vector<Target> all;
    for (const auto* path : {manager_path, "/org/eghostbuster1/kind/fake", log_control_path}) {
        const auto node = parse_xml(client.introspect(path));
        for (const auto* interface : node.all("interface")) {
            for (const auto* method : interface->all("method")) {
                Target target{path, interface->attribute("name"), method->attribute("name"), ""};
                for (const auto* arg : method->all("arg")) {
                    target.signature += arg->attribute("direction") == "in" ? arg->attribute("type") : "";
                }
                all.push_back(std::move(target));
            }
        }
    }
    return all;
}

bool Nonsense::is_answered(Client& client, const std::vector<Target>& all) {
    const Target& target = one_of(all);
    // One in eight is of a shape that does not fit, or to something that is not there.
    const bool odd = below(8) == 0;
    const std::string signature = odd ? one_of(odd_signatures) : target.signature;
    const char* const interface = odd && below(4) == 0 ? nullptr : target.interface.c_str();
    const std::string path = odd && below(4) == 0 ? "/org/eghostbuster1/no" : target.path;
    last_ = formatted("{} {}({})", path, target.method, signature);

    sd_bus_message* fresh{};
    if (sd_bus_message_new_method_call(client.raw(), &fresh, "org.eghostbuster1", path.c_str(), interface,
                                       target.method.c_str()) < 0) {
        return false;
    }
    const MessagePtr call{fresh};
    fill(fresh, signature, 0);
    constexpr std::uint64_t ten_seconds_in_usec = 10'000'000;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    const int result = sd_bus_call(client.raw(), fresh, ten_seconds_in_usec, &error, nullptr);
    const bool silence =
        result < 0 && (error.name == nullptr || std::string_view{error.name} == SD_BUS_ERROR_NO_REPLY);
    sd_bus_error_free(&error);
    return !silence;
}

std::size_t Nonsense::below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>{0, count - 1}(random_);
}

std::uint64_t Nonsense::number() {
    return below(2) == 0 ? one_of(edges) : random_();
}

/// Now and then more than anybody takes.
std::size_t Nonsense::entries(int depth) {
    if (depth > 1) {
        return below(3);
    }
    return below(50) == 0 ? 1'500 : below(6);
}

void Nonsense::fill(sd_bus_message* message, std::string_view signature, int depth) {
    while (!signature.empty()) {
        const auto type = first_type(signature);
        append(message, type, depth);
        signature.remove_prefix(type.size());
    }
}

void Nonsense::append(sd_bus_message* message, std::string_view type, int depth) {
    const char first = type.front();
    if (first == 'v') {
        append_variant(message, depth);
        return;
    }
    if (first == 'a') {
        const std::string entry{type.substr(1)};
        sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, entry.c_str());
        for (auto left = entries(depth); left > 0; --left) {
            append(message, entry, depth + 1);
        }
        sd_bus_message_close_container(message);
        return;
    }
    if (first == '(' || first == '{') {
        const std::string members{type.substr(1, type.size() - 2)};
        sd_bus_message_open_container(message, first == '(' ? SD_BUS_TYPE_STRUCT : SD_BUS_TYPE_DICT_ENTRY,
                                      members.c_str());
        fill(message, members, depth + 1);
        sd_bus_message_close_container(message);
        return;
    }
    append_basic(message, first);
}

void Nonsense::append_variant(sd_bus_message* message, int depth) {
    const char* const held = depth < deepest ? one_of(held_types) : "s";
    sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, held);
    append(message, held, depth + 1);
    sd_bus_message_close_container(message);
}

void Nonsense::append_basic(sd_bus_message* message, char type) {
    const auto any = number();
    const int truth = static_cast<int>(any % 2);
    const int standard_input = 0;
    switch (type) {
    case SD_BUS_TYPE_STRING:
        sd_bus_message_append_basic(message, type, one_of(words));
        return;
    case SD_BUS_TYPE_OBJECT_PATH:
        sd_bus_message_append_basic(message, type, "/org/eghostbuster1");
        return;
    case SD_BUS_TYPE_SIGNATURE:
        sd_bus_message_append_basic(message, type, one_of(odd_signatures));
        return;
    case SD_BUS_TYPE_UNIX_FD:
        sd_bus_message_append_basic(message, type, &standard_input);
        return;
    case SD_BUS_TYPE_BOOLEAN:
        sd_bus_message_append_basic(message, type, &truth);
        return;
    default:
        sd_bus_message_append_basic(message, type, &any); // takes as many of its bytes as the type has
    }
}

} // namespace egb::test
