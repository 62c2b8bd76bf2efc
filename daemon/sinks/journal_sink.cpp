// SPDX-License-Identifier: Apache-2.0
#include "sinks/journal_sink.hpp"

#include "core/format.hpp"
#include "core/kind_info.hpp"
#include "core/option.hpp"
#include "sinks/message_ids.hpp"
#include "sinks/signal_budget.hpp"

#define SD_JOURNAL_SUPPRESS_LOCATION // where this stands in our source tells nobody anything
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

namespace egb::sinks {

namespace {

constexpr std::size_t most_holders = 16; // of one ghost, in one entry
constexpr std::size_t top_holders = 3;

std::string_view message_id(IncidentType type) {
    return std::ranges::find(incident_message_ids, type, &MessageId::type)->id;
}

int priority(const Incident& incident) {
    switch (incident.type) {
    case IncidentType::acted:
        return incident.outcome.verdict == Verdict::failed ? LOG_WARNING : LOG_NOTICE;
    case IncidentType::vanished:
        return LOG_INFO;
    default:
        return LOG_NOTICE;
    }
}

/// By what people know it: its unit, its container, or its name.
std::string_view name_of(const Process& process) {
    if (!process.unit.empty()) {
        return process.unit;
    }
    return process.container.empty() ? process.comm : process.container;
}

std::string holders_clause(const Ghost& ghost) {
    if (ghost.holders.empty()) {
        return {};
    }
    const Process& first = *ghost.holders.front().process;
    const std::string others =
        ghost.holders.size() == 1 ? "" : formatted(" and {} more", ghost.holders.size() - 1);
    const std::string home = first.unit.empty() ? "" : formatted(" of {}", first.unit);
    return formatted(", {} {}[{}]{}{}", ghost.kind->bond, first.comm, first.id.pid, home, others);
}

std::string because(std::string_view reason) {
    return reason.empty() ? std::string{} : formatted(" ({})", reason);
}

std::string what_came_of_it(const Outcome& outcome) {
    switch (outcome.verdict) {
    case Verdict::cleaned:
        return "was cleaned";
    case Verdict::gone:
        return "had gone by itself";
    case Verdict::refused:
        return "was left alone";
    case Verdict::failed:
        return "could not be cleaned";
    case Verdict::asked:
        return "was asked";
    }
    std::unreachable();
}

std::string time_to_object(const Incident& incident) {
    return incident.until_act == Span{}
               ? "at once"
               : formatted("in {} unless somebody objects", format_span(incident.until_act));
}

std::string message(const Incident& incident) {
    const Ghost& ghost = *incident.ghost;
    const std::string subject = formatted("{} ghost {}", ghost.kind->name, ghost.id);
    switch (incident.type) {
    case IncidentType::appeared:
        return formatted("{} appeared, {}: {}{}", subject, to_string(ghost.grade), ghost.summary,
                         holders_clause(ghost));
    case IncidentType::changed:
        return formatted("{} is now {}: {}{}", subject, to_string(ghost.grade), ghost.summary,
                         holders_clause(ghost));
    case IncidentType::pending:
        return formatted("{} will be {} {}: {}{}", subject,
                         incident.action == Action::ask ? "asked" : "cleaned", time_to_object(incident),
                         ghost.summary, holders_clause(ghost));
    case IncidentType::acted:
        return formatted("{} {}: {}{}", subject, what_came_of_it(incident.outcome), ghost.summary,
                         because(incident.outcome.reason));
    case IncidentType::vanished:
        return formatted("{} went by itself: {}{}", subject, ghost.summary, because(incident.outcome.reason));
    }
    std::unreachable();
}

/// One of many.
std::string act_line(const Incident& incident) {
    const Ghost& ghost = *incident.ghost;
    return formatted("{} {}: {}{}{}, by {}\n", ghost.id, ghost.key, ghost.summary, holders_clause(ghost),
                     because(incident.outcome.reason), incident.actor);
}

class EntryBuilder {
public:
    template <typename T>
    EntryBuilder& add(std::string_view name, const T& value) {
        entry_.push_back(formatted("{}={}", name, value));
        return *this;
    }

    /// Without a field for what is not known.
    EntryBuilder& add_known(std::string_view name, const std::string& value) {
        return value.empty() ? *this : add(name, value);
    }

    /// A fact of the kind's own. Its name comes from a literal in snake_case.
    EntryBuilder& add_fact(const Field& field) {
        std::string name{"GHOST_"};
        for (const char letter : field.name) {
            name += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
        }
        std::visit(
            [&](const auto& value) {
                add(name, value);
            },
            field.value);
        return *this;
    }

    [[nodiscard]] JournalEntry take() { return std::move(entry_); }

private:
    JournalEntry entry_;
};

/// Fields that a ghost with several holders has several times; the journal matches each of them.
void add_holder(EntryBuilder& entry, const Holder& holder) {
    const Process& process = *holder.process;
    entry.add("GHOST_PID", process.id.pid)
        .add("GHOST_UID", process.uid)
        .add_known("GHOST_COMM", process.comm)
        .add_known("GHOST_EXE", process.exe)
        .add_known("GHOST_UNIT", process.unit)
        .add_known("GHOST_CONTAINER", process.container);
    if (holder.fd >= 0) {
        entry.add("GHOST_FD", holder.fd);
    }
}

} // namespace

JournalEntry journal_entry(const Incident& incident, const Clock& clock) {
    const Ghost& ghost = *incident.ghost;
    const auto age = std::chrono::duration_cast<std::chrono::microseconds>(clock.now() - ghost.since);
    EntryBuilder entry;
    entry.add("MESSAGE", message(incident))
        .add("MESSAGE_ID", message_id(incident.type))
        .add("PRIORITY", priority(incident))
        .add("GHOST_INCIDENT", to_string(incident.type))
        .add("GHOST_ID", ghost.id)
        .add("GHOST_KIND", ghost.kind->name)
        .add("GHOST_GRADE", to_string(ghost.grade))
        .add("GHOST_KEY", ghost.key)
        .add("GHOST_SUMMARY", ghost.summary)
        .add("GHOST_AGE_USEC", age.count())
        .add("GHOST_HOLDERS", ghost.holders.size());
    for (const Holder& holder :
         std::span{ghost.holders}.first(std::min(ghost.holders.size(), most_holders))) {
        add_holder(entry, holder);
    }
    if (incident.type == IncidentType::acted) {
        entry.add("OUTCOME", to_string(incident.outcome.verdict));
    }
    entry.add_known("REASON", incident.outcome.reason).add_known("ACTOR", incident.actor);
    for (const Field& field : incident.fields()) {
        entry.add_fact(field);
    }
    return entry.take();
}

void send_to_journal(std::span<const std::string> entry) {
    std::vector<iovec> parts;
    parts.reserve(entry.size());
    for (const std::string& field : entry) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): an iovec serves writers too
        parts.push_back({.iov_base = const_cast<char*>(field.data()), .iov_len = field.size()});
    }
    // An entry that journald does not take has no better place to be told of than the journal.
    static_cast<void>(sd_journal_sendv(parts.data(), static_cast<int>(parts.size())));
}

JournalSink::JournalSink(loop::EventLoop& loop, const Clock& clock, Send send)
    : loop_{loop}, clock_{clock}, send_{std::move(send)}, timer_{loop.timer(loop::Priority::timers, [this] {
          flush();
      })} {}

void JournalSink::record(const Incident& incident) {
    const Instant now = clock_.now();
    close_ended(now);
    Tally& tally = windows_[{incident.ghost->kind->name, incident.name()}];
    if (tally.single == 0) {
        tally.end = now + SignalBudget::window;
    }
    if (tally.single < SignalBudget::most_singles) {
        ++tally.single;
        send_(journal_entry(incident, clock_));
        return;
    }
    count(tally, incident);
}

void JournalSink::count(Tally& tally, const Incident& incident) {
    const Ghost& ghost = *incident.ghost;
    ++tally.more;
    tally.priority = priority(incident);
    const std::string_view holder =
        ghost.holders.empty() ? std::string_view{"nobody known"} : name_of(*ghost.holders.front().process);
    const auto known = tally.more_by_holder.find(holder);
    if (known == tally.more_by_holder.end()) {
        tally.more_by_holder.emplace(holder, 1);
    } else {
        ++known->second;
    }
    if (incident.type == IncidentType::acted) {
        tally.acts += act_line(incident);
    }
}

void JournalSink::flush() {
    close_ended(clock_.now());
    for (auto& [subject, tally] : windows_) {
        if (!tally.acts.empty()) {
            tell_rest(subject, tally);
        }
    }
    arm();
}

void JournalSink::close_ended(Instant now) {
    std::erase_if(windows_, [this, now](auto& window) {
        auto& [subject, tally] = window;
        if (now < tally.end) {
            return false;
        }
        if (tally.more > 0) {
            tell_rest(subject, tally);
        }
        return true;
    });
}

void JournalSink::tell_rest(const Subject& subject, Tally& tally) {
    send_(summary(subject, tally));
    tally.more = 0;
    tally.more_by_holder.clear();
    tally.acts.clear();
}

/// Only for a window that has something to tell.
void JournalSink::arm() {
    std::optional<Instant> next;
    for (const auto& [subject, tally] : windows_) {
        if (tally.more > 0 && (!next || tally.end < *next)) {
            next = tally.end;
        }
    }
    if (next) {
        loop_.arm(timer_, *next);
    }
}

JournalEntry JournalSink::summary(const Subject& subject, const Tally& tally) {
    std::vector<std::pair<std::string, std::uint64_t>> holders{tally.more_by_holder.begin(),
                                                               tally.more_by_holder.end()};
    std::ranges::stable_sort(holders, std::ranges::greater{}, [](const auto& holder) {
        return holder.second;
    });
    holders.resize(std::min(holders.size(), top_holders));

    const auto& [kind, incident] = subject;
    std::string most;
    for (const auto& [name, count] : holders) {
        most += formatted("{}{} ({})", most.empty() ? "" : ", ", name, count);
    }
    EntryBuilder entry;
    entry
        .add("MESSAGE",
             formatted("{} more {} ghosts ({}), most of them held by {}", tally.more, kind, incident, most))
        .add("MESSAGE_ID", flood_message_id)
        .add("PRIORITY", tally.priority)
        .add("GHOST_KIND", kind)
        .add("GHOST_INCIDENT", incident)
        .add("GHOST_COUNT", tally.more)
        .add("GHOST_MOST", most)
        .add_known("GHOST_ACTS", tally.acts)
        .add_known("OUTCOME", tally.acts.empty() ? "" : std::string{incident});
    return entry.take();
}

} // namespace egb::sinks
