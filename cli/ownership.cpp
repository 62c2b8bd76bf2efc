// SPDX-License-Identifier: Apache-2.0
#include "ownership.hpp"

#include "core/format.hpp"
#include "json_reading.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace egb::cli {

namespace {

std::string process(const Json& process) {
    const auto command = text_of(process, "comm");
    auto text = formatted("{} (pid {})", command.empty() ? "a process" : command, text_of(process, "pid"));
    if (const auto unit = text_of(process, "unit"); !unit.empty()) {
        text += formatted(" of {}", unit);
    }
    if (const auto container = text_of(process, "container"); !container.empty()) {
        text += formatted(" in container {}", container);
    }
    return text;
}

std::string lock_line(const Json& lock) {
    const auto holder = object_of(lock, "holder");
    return formatted(
        "{} {} a lock on it that the kernel keeps ({}, {}).", holder.empty() ? "Somebody" : process(holder),
        flag_of(lock, "waits") ? "waits for" : "has", text_of(lock, "type"), text_of(lock, "access"));
}

std::string fate(const Json& claimant) {
    if (flag_of(claimant, "lives")) {
        return "alive";
    }
    const auto end = text_of(claimant, "end");
    return end.empty() ? "of whom nothing is known by now" : end;
}

std::string headline(const Json& claim, WallTime now) {
    auto text = formatted("It is {}", text_of(claim, "summary"));
    if (const auto since = claim.value("since", Json{}); since.is_number()) {
        text += formatted(" {}", relative(wall_of(since.get<std::uint64_t>()), now));
    }
    const auto claimants = list_of(claim, "claimants");
    const auto creator = std::ranges::find_if(claimants, [](const Json& one) {
        return text_of(one, "role") == "creator";
    });
    if (creator != claimants.end()) {
        text += formatted(" by {}, {}", process(object_of(*creator, "process")), fate(*creator));
    }
    return text + '.';
}

std::string living(const Json& claim) {
    std::string text;
    for (const auto& one : list_of(claim, "claimants")) {
        if (flag_of(one, "lives")) {
            text += formatted("{}{}", text.empty() ? "" : ", ", process(object_of(one, "process")));
        }
    }
    const auto unnamed = text_of(claim, "claimants_unnamed");
    return unnamed.empty() || unnamed == "0" ? text : formatted("{}, and {} more", text, unnamed);
}

std::string verdict_line(const Json& claim) {
    const auto verdict = text_of(claim, "verdict");
    if (verdict == "owned") {
        return formatted("Owners: {}.", living(claim));
    }
    return verdict == "ownerless" ? "Nobody who can have owned it is left."
                                  : "Whether somebody owns it is not known.";
}

void add_claim(std::vector<std::string>& lines, const Json& claim, WallTime now) {
    lines.push_back(headline(claim, now));
    lines.push_back(verdict_line(claim));
    for (const auto& piece : list_of(claim, "evidence")) {
        lines.push_back(formatted("  - {} [{}]", text_of(piece, "text"), text_of(piece, "name")));
    }
    if (const auto ghost = text_of(claim, "ghost"); !ghost.empty()) {
        lines.push_back(formatted("It is ghost {0}; `ghostctl explain {0}` has the details.", ghost));
    }
}

/// Only those that are told of somebody.
void add_pid(std::vector<std::string>& pids, const Json& process) {
    if (auto pid = text_of(process, "pid"); !pid.empty() && !std::ranges::contains(pids, pid)) {
        pids.push_back(std::move(pid));
    }
}

} // namespace

std::vector<std::string> ownership_lines(const Json& owners, WallTime now) {
    std::vector<std::string> lines;
    for (const auto& lock : list_of(owners, "locks")) {
        lines.push_back(lock_line(lock));
    }
    for (const auto& claim : list_of(owners, "claims")) {
        add_claim(lines, claim, now);
    }
    for (const auto& one : list_of(owners, "unclaimed")) {
        lines.push_back(formatted("The kind {} knows nothing of it: {} [{}].", text_of(one, "kind"),
                                  text_of(one, "text"), text_of(one, "reason")));
    }
    return lines;
}

std::vector<std::string> owner_pids(const Json& owners) {
    std::vector<std::string> pids;
    for (const auto& holder : list_of(owners, "holders")) {
        add_pid(pids, holder);
    }
    for (const auto& lock : list_of(owners, "locks")) {
        if (!flag_of(lock, "waits")) {
            add_pid(pids, object_of(lock, "holder"));
        }
    }
    for (const auto& claim : list_of(owners, "claims")) {
        for (const auto& one : list_of(claim, "claimants")) {
            if (flag_of(one, "lives")) {
                add_pid(pids, object_of(one, "process"));
            }
        }
    }
    return pids;
}

} // namespace egb::cli
