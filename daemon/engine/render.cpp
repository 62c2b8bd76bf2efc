// SPDX-License-Identifier: Apache-2.0
#include "engine/render.hpp"

#include "core/format.hpp"
#include "core/heading.hpp"
#include "core/kind_info.hpp"
#include "core/time_span.hpp"
#include "core/utf8.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace egb::engine {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_holders_explained = 10;
constexpr std::size_t most_holders_written = 20; // a socket can be in thousands of processes

std::int64_t usec(Span span) {
    return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
}

Json fd_json(const Holder& holder) {
    return holder.fd >= 0 ? Json(holder.fd) : Json(nullptr);
}

Json holder_json(const Holder& holder) {
    const Process& process = *holder.process;
    return {{"pid", process.id.pid},
            {"start_ticks", process.id.start_ticks},
            {"uid", process.uid},
            {"comm", process.comm},
            {"exe", process.exe},
            {"unit", process.unit},
            {"container", process.container},
            {"fd", fd_json(holder)}};
}

/// Times in microseconds, moments on the wall, as everywhere outside of the daemon.
std::int64_t shown_value(const Evidence& evidence, const Clock& clock) {
    switch (evidence.rule->unit) {
    case EvidenceUnit::span:
        return usec(Span{evidence.value});
    case EvidenceUnit::since:
        return clock.wall(Instant{Span{evidence.value}}).time_since_epoch().count();
    case EvidenceUnit::none:
    case EvidenceUnit::count:
    case EvidenceUnit::bytes:
        return evidence.value;
    }
    std::unreachable();
}

Json evidence_json(const Evidence& evidence, const Clock& clock) {
    return {{"name", evidence.rule->name},
            {"weight", to_string(evidence.rule->weight)},
            {"text", sentence(evidence, clock.now())},
            {"value", shown_value(evidence, clock)},
            {"change", evidence.rule->change}};
}

Json fields_json(const Fields& fields) {
    Json json = Json::object();
    for (const Field& field : fields) {
        std::visit(
            [&](const auto& value) {
                json[std::string{field.name}] = value;
            },
            field.value);
    }
    return json;
}

Json ghost_json(const Ghost& ghost, const Fields& fields, const Clock& clock) {
    Json holders = Json::array();
    for (const Holder& holder : ghost.holders | std::views::take(most_holders_written)) {
        holders.push_back(holder_json(holder));
    }
    Json evidence = Json::array();
    for (const Evidence& item : ghost.evidence) {
        evidence.push_back(evidence_json(item, clock));
    }
    return {{"id", ghost.id},
            {"kind", ghost.kind->name},
            {"grade", to_string(ghost.grade)},
            {"key", ghost.key},
            {"summary", ghost.summary},
            {"since", clock.wall(ghost.since).time_since_epoch().count()},
            {"since_kind", to_string(ghost.since_kind)},
            {"age_usec", usec(clock.now() - ghost.since)},
            {"holders", std::move(holders)},
            {"holders_total", ghost.holders.size()},
            {"bond", ghost.kind->bond},
            {"evidence", std::move(evidence)},
            {"fields", fields_json(fields)}};
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

/// Of whom only the pid is known, nothing else is told.
Json process_json(const Process& process) {
    return {{"pid", process.id.pid},
            {"start_ticks", process.id.start_ticks != 0 ? Json(process.id.start_ticks) : Json(nullptr)},
            {"uid", process.known || !process.comm.empty() ? Json(process.uid) : Json(nullptr)},
            {"comm", text_or_null(process.comm)},
            {"exe", text_or_null(process.exe)},
            {"unit", text_or_null(process.unit)},
            {"container", text_or_null(process.container)}};
}

Json open_json(const Holder& holder) {
    auto json = process_json(*holder.process);
    json["fd"] = fd_json(holder);
    return json;
}

Json lock_json(const AdvisoryLock& lock) {
    return {{"type", lock.type},
            {"access", lock.access},
            {"waits", lock.waits},
            {"holder", lock.holder ? process_json(*lock.holder) : Json(nullptr)}};
}

Json claimant_json(const Claimant& claimant) {
    return {{"role", to_string(claimant.role)},
            {"lives", claimant.lives},
            {"end", text_or_null(claimant.end)},
            {"process", process_json(*claimant.process)}};
}

/// An element for each.
template <typename List, typename Writer>
Json list_json(const List& list, Writer writer) {
    Json json = Json::array();
    for (const auto& item : list) {
        json.push_back(writer(item));
    }
    return json;
}

Json disclaimer_json(const Disclaimer& disclaimer) {
    return {{"kind", disclaimer.kind->name}, {"reason", disclaimer.reason}, {"text", disclaimer.text}};
}

Json claim_json(const OwnerReport& claim, const Clock& clock) {
    const auto write_evidence = [&clock](const Evidence& evidence) {
        return evidence_json(evidence, clock);
    };
    const auto since = claim.since.transform([](WallTime time) {
        return time.time_since_epoch().count();
    });
    const auto age = claim.since.transform([&clock](WallTime time) {
        return usec(clock.wall_now() - time);
    });
    return {{"kind", claim.kind->name},
            {"summary", claim.summary},
            {"verdict", to_string(claim.verdict)},
            {"since", since ? Json(*since) : Json(nullptr)},
            {"age_usec", age ? Json(*age) : Json(nullptr)},
            {"claimants", list_json(claim.claimants, claimant_json)},
            {"claimants_unnamed", claim.unnamed},
            {"evidence", list_json(claim.evidence, write_evidence)},
            {"ghost", claim.ghost != 0 ? Json(claim.ghost) : Json(nullptr)}};
}

/// A key or a path may hold bytes that are no text; they must not make a ghost unshowable.
std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const FieldValue& value) {
    struct Writer {
        std::string operator()(bool flag) const { return flag ? "yes" : "no"; }
        std::string operator()(const std::string& text) const { return printable(text); }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(std::uint64_t number) const { return std::to_string(number); }
    };
    return std::visit(Writer{}, value);
}

std::string holder_text(const Holder& holder) {
    const Process& process = *holder.process;
    auto text = formatted("{} (pid {}, uid {})", printable(process.comm), process.id.pid, process.uid);
    if (holder.fd >= 0) {
        text += formatted(", descriptor {}", holder.fd);
    }
    if (!process.unit.empty()) {
        text += formatted(", unit {}", printable(process.unit));
    }
    if (!process.container.empty()) {
        text += formatted(", container {}", printable(process.container));
    }
    return text;
}

/// A heading and its lines; `none` stands where there are none.
std::string section(std::string_view title, const std::vector<std::string>& lines, std::string_view none) {
    auto text = formatted("\n{}\n", title);
    for (const auto& line : lines) {
        text += formatted("  - {}\n", line);
    }
    return lines.empty() ? text + formatted("  {}\n", none) : text;
}

std::vector<std::string> sentences(const Ghost& ghost, Weight weight, Instant now) {
    std::vector<std::string> lines;
    for (const Evidence& evidence : ghost.evidence) {
        if (evidence.rule->weight == weight) {
            lines.push_back(sentence(evidence, now));
        }
    }
    return lines;
}

std::vector<std::string> changes(const Ghost& ghost) {
    std::vector<std::string> lines;
    for (const Evidence& evidence : ghost.evidence) {
        if (std::string line{evidence.rule->change}; !line.empty() && !std::ranges::contains(lines, line)) {
            lines.push_back(std::move(line));
        }
    }
    return lines;
}

std::vector<std::string> holder_lines(const Ghost& ghost) {
    auto lines = ghost.holders | std::views::take(most_holders_explained) |
                 std::views::transform(holder_text) | std::ranges::to<std::vector>();
    if (ghost.holders.size() > lines.size()) {
        lines.push_back(formatted("and {} more", ghost.holders.size() - lines.size()));
    }
    return lines;
}

std::vector<std::string> field_lines(const Fields& fields) {
    return fields | std::views::transform([](const Field& field) {
               return formatted("{}: {}", field.name, text_of(field.value));
           }) |
           std::ranges::to<std::vector>();
}

std::string_view intention(Action action) {
    switch (action) {
    case Action::ignore:
        return "Nothing, and it is on no list";
    case Action::report:
        return "Nothing but this report";
    case Action::ask:
        return "It will be asked, which does it no harm if it is alive";
    case Action::clean:
        return "It will be cleaned, if a last look confirms all this";
    }
    std::unreachable();
}

} // namespace

std::string to_json(const Ghost& ghost, const Fields& fields, const Decision& decision,
                    const Kinship& kinship, const Clock& clock) {
    auto json = ghost_json(ghost, fields, clock);
    json["decision"] = {{"action", to_string(decision.action)}, {"reason", decision.reason}};
    json["group"] = kinship.group ? Json(*kinship.group) : Json(nullptr);
    json["members_total"] = kinship.members;
    return dump(json);
}

std::string to_json(const FileOwners& owners, const Clock& clock) {
    const auto write_claim = [&clock](const OwnerReport& claim) {
        return claim_json(claim, clock);
    };
    return dump({{"holders", list_json(owners.holders, open_json)},
                 {"locks", list_json(owners.locks, lock_json)},
                 {"claims", list_json(owners.claims, write_claim)},
                 {"unclaimed", list_json(owners.unclaimed, disclaimer_json)}});
}

std::string to_json(const Incident& incident, const Clock& clock) {
    Json json{{"type", to_string(incident.type)}, {"at", incident.at.time_since_epoch().count()}};
    switch (incident.type) {
    case IncidentType::appeared:
    case IncidentType::changed:
        break;
    case IncidentType::pending:
        json["action"] = to_string(incident.action);
        json["until_act_usec"] = usec(incident.until_act);
        break;
    case IncidentType::acted:
        json["verdict"] = to_string(incident.outcome.verdict);
        json["reason"] = incident.outcome.reason;
        json["actor"] = incident.actor;
        break;
    case IncidentType::vanished:
        json["reason"] = incident.outcome.reason;
        break;
    }
    json["ghost"] = ghost_json(*incident.ghost, incident.fields(), clock);
    return dump(json);
}

std::string explain(const Ghost& ghost, const Fields& fields, const Decision& decision, const Clock& clock) {
    const Instant now = clock.now();
    const auto age = format_span(std::chrono::floor<std::chrono::seconds>(now - ghost.since));
    auto text = formatted("Ghost {}: {}\n", ghost.id, printable(ghost.summary));
    text += formatted("\nClaim\n  It is {} to be a ghost of the kind {}, for {}{}.\n", to_string(ghost.grade),
                      ghost.kind->name, ghost.since_kind == SinceKind::at_least ? "at least " : "", age);
    text += section(capitalised(ghost.kind->bond), holder_lines(ghost), "Nobody that could be found.");
    text += section("For it", sentences(ghost, Weight::supports, now), "Nothing.");
    text += section("Against it", sentences(ghost, Weight::opposes, now), "Nothing that was found.");
    text += section("What would change the verdict", changes(ghost), "Nothing that could be named.");
    text += formatted("\nWhat will be done\n  {}: {}.\n", intention(decision.action), decision.reason);
    if (!fields.empty()) {
        text += section("Facts", field_lines(fields), "");
    }
    return text;
}

} // namespace egb::engine
