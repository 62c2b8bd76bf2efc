// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup_names.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <utility>
#include <vector>

namespace egb::host {

namespace {

constexpr std::size_t id_length = 64; // SHA-256 in hex, which every engine uses

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
    return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

/// What stands between the two; empty when either is missing.
std::string_view between(std::string_view text, std::string_view prefix, std::string_view suffix) {
    if (!text.starts_with(prefix) || !text.ends_with(suffix) || text.size() < prefix.size() + suffix.size()) {
        return {};
    }
    return text.substr(prefix.size(), text.size() - prefix.size() - suffix.size());
}

std::string_view take_until(std::string_view& text, char end) {
    const auto at = text.find(end);
    const auto taken = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return taken;
}

/// Slices group units and are none that runs.
bool is_slice(std::string_view name) {
    constexpr std::string_view suffix{".slice"};
    return name.size() > suffix.size() && name.ends_with(suffix);
}

bool is_unit(std::string_view name) {
    constexpr std::array<std::string_view, 5> suffixes{".service", ".scope", ".socket", ".mount", ".swap"};
    return std::ranges::any_of(suffixes, [name](std::string_view suffix) {
        return name.size() > suffix.size() && name.ends_with(suffix);
    });
}

bool is_id(std::string_view text) {
    return text.size() == id_length && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// docker-<id>.scope, libpod-<id>, kubepods-pod1.slice:cri-containerd:<id>, or the bare <id>. A conmon
/// watches over a container and is named after it.
std::string_view id_in(std::string_view name) {
    name = without_suffix(name, ".scope");
    const auto before = name.find_last_of("-:");
    if (before == std::string_view::npos) {
        return is_id(name) ? name : std::string_view{};
    }
    const auto id = name.substr(before + 1);
    return is_id(id) && !name.substr(0, before).ends_with("conmon") ? id : std::string_view{};
}

/// systemd writes what it cannot have in a name as \xNN.
std::string without_escapes(std::string_view name) {
    std::string plain;
    while (!name.empty()) {
        unsigned char byte{};
        if (name.starts_with("\\x") && name.size() >= 4 &&
            std::from_chars(name.data() + 2, name.data() + 4, byte, 16).ptr == name.data() + 4) {
            plain += static_cast<char>(byte);
            name.remove_prefix(4);
        } else {
            plain += name.front();
            name.remove_prefix(1);
        }
    }
    return plain;
}

/// machine-NAME.scope is what systemd-machined makes, systemd-nspawn@NAME.service what machinectl starts.
std::string_view machine_in(std::string_view name) {
    const auto machine = between(name, "machine-", ".scope");
    return machine.empty() ? between(name, "systemd-nspawn@", ".service") : machine;
}

/// lxc.payload.NAME, or NAME in a folder of LXC's.
std::string_view lxc_in(std::string_view parent, std::string_view name) {
    return parent == "lxc" || parent == "lxc.payload" ? name : between(name, "lxc.payload.", "");
}

std::string container_in(std::string_view parent, std::string_view name) {
    if (const auto id = id_in(name); !id.empty()) {
        return std::string{id};
    }
    if (const auto machine = machine_in(name); !machine.empty()) {
        return without_escapes(machine);
    }
    return std::string{lxc_in(parent, name)};
}

/// In the order in which they are believed; a hybrid system has all three.
enum class Hierarchy : std::uint8_t { systemd, unified, controllers };

struct Membership {
    Hierarchy hierarchy;
    std::string_view path;
};

/// One line: ID:CONTROLLERS:PATH
Membership membership(std::string_view line) {
    take_until(line, ':');
    const auto controllers = take_until(line, ':');
    if (controllers == "name=systemd") {
        return {Hierarchy::systemd, line};
    }
    return {controllers.empty() ? Hierarchy::unified : Hierarchy::controllers, line};
}

} // namespace

CgroupNames names_of_cgroup(std::string_view path) {
    CgroupNames names;
    std::string outer;
    std::string_view parent;
    for (const auto part : without_suffix(path, " (deleted)") | std::views::split('/')) {
        std::string_view name{part};
        // An underscore keeps unit names apart from the kernel's own files, as in _cpu.service.
        name.remove_prefix(name.starts_with('_') ? 1 : 0);
        if (is_unit(name) || is_slice(name)) {
            names.around.push_back(printable(name));
        }
        if (auto container = container_in(parent, name); !container.empty()) {
            outer = std::exchange(names.container, printable(container));
        } else if (name == "supervisor" && !machine_in(parent).empty()) {
            names.container = outer;
        }
        parent = name;
    }
    if (const auto innermost = std::ranges::find_last_if(names.around, is_unit); !innermost.empty()) {
        names.unit = std::move(innermost.front());
        names.around.erase(innermost.begin());
    }
    return names;
}

CgroupNames names_of_cgroup_file(std::string_view text) {
    std::vector<Membership> memberships;
    for (const auto line : text | std::views::split('\n')) {
        if (!line.empty()) {
            memberships.push_back(membership(std::string_view{line}));
        }
    }
    std::ranges::stable_sort(memberships, {}, &Membership::hierarchy);

    CgroupNames best;
    for (const auto& [hierarchy, path] : memberships) {
        auto names = names_of_cgroup(path);
        if (best.unit.empty() && (!names.unit.empty() || best.around.empty())) {
            best.unit = std::move(names.unit);
            best.around = std::move(names.around);
        }
        if (best.container.empty()) {
            best.container = std::move(names.container);
        }
    }
    return best;
}

} // namespace egb::host
