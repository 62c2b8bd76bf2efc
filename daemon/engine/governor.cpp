// SPDX-License-Identifier: Apache-2.0
#include "engine/governor.hpp"

#include "core/format.hpp"
#include "core/glob.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace egb::engine {

namespace {

constexpr Span window = std::chrono::minutes{1};

/// A ghost that cannot be acted upon must not use up what others may have: after each further failure it is
/// left alone for twice as long, up to this.
constexpr Span longest_cooldown = std::chrono::days{1};

constexpr auto options = std::to_array<OptionSpec>({
    {.name = "Paused",
     .type = OptionType::flag,
     .preset = "no",
     .help = "Report, and act on nothing, whatever the kinds say."},
    {.name = "ActsPerMinute",
     .type = OptionType::count,
     .preset = "60",
     .help = "How many ghosts are cleaned in a minute at most.",
     .least = 1},
    {.name = "ActsPerMinutePerUnit",
     .type = OptionType::count,
     .preset = "20",
     .help = "How many ghosts of one unit are cleaned in a minute at most.",
     .least = 1},
    {.name = "Cooldown",
     .type = OptionType::span,
     .preset = "10min",
     .help = "How long a ghost is left alone after an act on it that did not succeed; after each further one "
             "twice as long, up to a day.",
     .least = 1},
    {.name = "Protect",
     .type = OptionType::list,
     .preset = "init.scope systemd* dbus-daemon dbus-broker* polkitd sshd* eghostbuster*",
     .help = "Globs. A ghost is never cleaned when one of them matches the unit, the command name, the "
             "executable or the container of a process that holds it."},
});

/// Each unit once; a ghost that nobody holds, or somebody outside of any unit, is of the unit "".
void for_each_unit(const Ghost& ghost, const auto& visit) {
    if (ghost.holders.empty()) {
        visit(std::string_view{});
    }
    for (auto holder = ghost.holders.begin(); holder != ghost.holders.end(); ++holder) {
        const std::string& unit = holder->process->unit;
        const bool again = std::any_of(ghost.holders.begin(), holder, [&unit](const Holder& earlier) {
            return earlier.process->unit == unit;
        });
        if (!again) {
            visit(std::string_view{unit});
        }
    }
}

/// Whether it may be meant for the path of a program.
bool may_be_path(const std::string& glob) {
    return !glob.empty() && std::string_view{"/*?["}.contains(glob.front());
}

bool matches(const std::string& glob, const Process& process) {
    return glob_matches(glob, process.unit) || glob_matches(glob, process.comm) ||
           glob_matches(glob, process.exe) || glob_matches(glob, process.container);
}

/// When fewer than `most` of the acts will lie within a minute.
Instant below(std::uint64_t most, const std::deque<Instant>& acts, Instant now) {
    if (most == 0) {
        return end_of_time;
    }
    return acts.size() < most ? now : std::max(now, acts[acts.size() - most] + window);
}

Span twice(Span cooldown) {
    return cooldown >= longest_cooldown / 2 ? std::max(cooldown, longest_cooldown) : 2 * cooldown;
}

void drop_old(std::deque<Instant>& acts, Instant now) {
    while (!acts.empty() && acts.front() + window <= now) {
        acts.pop_front();
    }
}

} // namespace

std::span<const OptionSpec> governor_options() {
    return options;
}

GovernorLimits governor_limits(const OptionValues& section) {
    return {.paused = section.flag("Paused"),
            .acts_per_minute = section.count("ActsPerMinute"),
            .acts_per_minute_per_unit = section.count("ActsPerMinutePerUnit"),
            .cooldown = section.span("Cooldown"),
            .protect = section.list("Protect")};
}

void Governor::set_limits(GovernorLimits limits) {
    limits_ = std::move(limits);
    ++revision_;
}

Result<> Governor::admit(const Ghost& ghost, Instant now) const {
    if (limits_.paused) {
        return fail(ErrorCode::busy, "all acts are paused");
    }
    if (const auto why = protection(ghost)) {
        return fail(ErrorCode::denied, "{}", *why);
    }
    if (const auto at = cool_at(ghost, now); at > now) {
        return fail(ErrorCode::busy, "an act on it did not succeed, it is left alone for another {}",
                    format_span(at - now));
    }
    if (opens_at(now) > now) {
        return fail(ErrorCode::busy, "{} acts were done within a minute, which is the limit",
                    limits_.acts_per_minute);
    }
    Result<> admitted;
    for_each_unit(ghost, [&](std::string_view unit) {
        if (admitted && unit_opens_at(unit, now) > now) {
            admitted =
                fail(ErrorCode::busy, "{} acts on {} were done within a minute, which is the limit",
                     limits_.acts_per_minute_per_unit, unit.empty() ? "what is outside of any unit" : unit);
        }
    });
    return admitted;
}

std::optional<std::string> Governor::protection(const Ghost& ghost) const {
    if (ghost.holders.empty() && (units_ != nullptr || !limits_.protect.empty())) {
        return "who holds it is not known, and may be protected";
    }
    for (const Holder& holder : ghost.holders) {
        if (auto why = protection_by(*holder.process)) {
            return why;
        }
    }
    return std::nullopt;
}

std::optional<std::string> Governor::protection_by(const Process& holder) const {
    if (!holder.known && (units_ != nullptr || !limits_.protect.empty())) {
        return formatted("nothing is known of the process {}, which holds it", holder.id.pid);
    }
    const auto glob = std::ranges::find_if(limits_.protect, [&holder](const std::string& candidate) {
        return matches(candidate, holder);
    });
    if (glob != limits_.protect.end()) {
        return formatted("a process that holds it is protected by \"{}\"", *glob);
    }
    const auto unsure =
        holder.exe.empty() ? std::ranges::find_if(limits_.protect, may_be_path) : limits_.protect.end();
    if (unsure != limits_.protect.end()) {
        return formatted(
            "the program of the process {}, which holds it, is not known, and may be protected by \"{}\"",
            holder.id.pid, *unsure);
    }
    return wish_of_units(holder);
}

/// Of the innermost unit first: it is the one that everybody knows the process by.
std::optional<std::string> Governor::wish_of_units(const Process& holder) const {
    if (units_ == nullptr) {
        return std::nullopt;
    }
    auto why = holder.unit.empty() ? std::nullopt : units_->why_left_alone(holder.unit);
    for (auto unit = holder.around.rbegin(); !why && unit != holder.around.rend(); ++unit) {
        why = units_->why_left_alone(*unit);
    }
    return why;
}

Instant Governor::opens_at(Instant now) const {
    return below(limits_.acts_per_minute, acts_, now);
}

Instant Governor::opens_at(const Ghost& ghost, Instant now) const {
    Instant at = std::max(opens_at(now), cool_at(ghost, now));
    for_each_unit(ghost, [&](std::string_view unit) {
        at = std::max(at, unit_opens_at(unit, now));
    });
    return at;
}

Instant Governor::unit_opens_at(std::string_view unit, Instant now) const {
    static const Acts none;
    const auto acts = acts_by_unit_.find(unit);
    return below(limits_.acts_per_minute_per_unit, acts == acts_by_unit_.end() ? none : acts->second, now);
}

Instant Governor::cool_at(const Ghost& ghost, Instant now) const {
    const auto* cooldown = cooldowns_.find(ghost, now);
    return cooldown == nullptr ? now : std::max(now, cooldown->value.until);
}

void Governor::note_act(const Ghost& ghost, Instant now) {
    drop_old(acts_, now);
    acts_.push_back(now);
    std::erase_if(acts_by_unit_, [now](auto& entry) {
        drop_old(entry.second, now);
        return entry.second.empty();
    });
    for_each_unit(ghost, [&](std::string_view unit) {
        const auto known = acts_by_unit_.find(unit);
        Acts& acts = known == acts_by_unit_.end() ? acts_by_unit_[std::string{unit}] : known->second;
        acts.push_back(now);
    });
}

void Governor::note_failure(const Ghost& ghost, Instant now) {
    const auto* before = cooldowns_.find(ghost, now);
    const Span span = before == nullptr ? limits_.cooldown : twice(before->value.span);
    const Instant until = later(now, span);
    cooldowns_.set(ghost, {.until = later(until, longest_cooldown), .value = {.until = until, .span = span}},
                   now);
}

} // namespace egb::engine
