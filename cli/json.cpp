// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace egb::cli {

namespace {

Json text_or_null(std::string_view text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

} // namespace

Json to_json(const GhostRow& row) {
    return {{"id", row.id},
            {"kind", row.kind},
            {"grade", row.grade},
            {"summary", row.summary},
            {"since", usec_of(row.since)},
            {"since_kind", row.known == Known::at_least ? "at-least" : "observed"},
            {"pid", row.pid > 0 ? Json(row.pid) : Json(nullptr)},
            {"comm", text_or_null(row.command)},
            {"unit", text_or_null(row.unit)},
            {"holders", row.holders},
            {"action", row.decision}};
}

Json to_json(const MemberRow& row) {
    return {{"id", row.id},
            {"fd", row.fd >= 0 ? Json(row.fd) : Json(nullptr)},
            {"since", usec_of(row.since)},
            {"since_kind", row.known == Known::at_least ? "at-least" : "observed"},
            {"summary", row.summary}};
}

Json to_json(const IncidentRow& row) {
    return {{"sequence", row.sequence},
            {"at", usec_of(row.at)},
            {"type", row.type},
            {"ghost", row.ghost},
            {"kind", row.kind},
            {"grade", row.grade},
            {"summary", row.summary},
            {"verdict", text_or_null(row.verdict)},
            {"reason", text_or_null(row.reason)},
            {"actor", text_or_null(row.actor)}};
}

Json to_json(const QuarantinedRow& row) {
    return {{"ghost", row.ghost}, {"kind", row.kind}, {"since", usec_of(row.since)},
            {"path", row.path},   {"type", row.type}, {"size", row.size}};
}

Json to_json(const Explanation& row) {
    return {{"id", row.id}, {"text", row.text}};
}

Json to_json(const Restored& row) {
    return {{"id", row.id}, {"path", row.path}};
}

Json to_json(const OutcomeRow& row) {
    return {{"id", row.id}, {"verdict", row.verdict}, {"reason", text_or_null(row.reason)}};
}

Json to_json(const CapabilityRow& row) {
    return {{"name", row.name}, {"works", row.works}, {"detail", row.detail}};
}

Json to_json(const OptionRow& row) {
    return {{"name", row.name}, {"type", row.type}, {"default", row.preset}, {"help", row.help}};
}

Json to_json(const KindView& view) {
    return {{"name", view.name},
            {"summary", view.summary},
            {"reach", view.reach},
            {"enabled", view.enabled},
            {"trouble", text_or_null(view.trouble)},
            {"clean", view.clean},
            {"veto_usec", usec_of(view.veto)},
            {"options", view.options},
            {"tracked", view.tracked},
            {"suspected", view.suspected},
            {"proven", view.proven},
            {"lost_events", view.lost_events},
            {"last_sweep", view.last_sweep ? Json(usec_of(*view.last_sweep)) : Json(nullptr)},
            {"last_sweep_usec", usec_of(view.last_sweep_took)},
            {"capabilities", to_json(view.capabilities)}};
}

Json to_json(const ManagerView& view) {
    return {{"version", view.version},  {"boot_id", view.boot_id}, {"started", usec_of(view.started)},
            {"ghosts", view.ghosts},    {"paused", view.paused},   {"dry_run", view.dry_run},
            {"troubles", view.troubles}};
}

template <typename Row>
Json to_json(const std::vector<Row>& rows) {
    auto all = Json::array();
    for (const auto& row : rows) {
        all.push_back(to_json(row));
    }
    return all;
}

void print_json(std::initializer_list<JsonMember> members, Context& context) {
    auto json = Json::object();
    for (const auto& [name, value] : members) {
        json[name] = std::visit(
            [](const auto& known) {
                return Json(known);
            },
            value);
    }
    context.print(json);
}

template <typename Row>
void print_json(std::string_view name, const std::vector<Row>& rows, Context& context) {
    context.print(Json{{name, to_json(rows)}});
}

template Json to_json(const std::vector<MemberRow>&);
template Json to_json(const std::vector<CapabilityRow>&);
template void print_json(std::string_view, const std::vector<GhostRow>&, Context&);
template void print_json(std::string_view, const std::vector<IncidentRow>&, Context&);
template void print_json(std::string_view, const std::vector<QuarantinedRow>&, Context&);
template void print_json(std::string_view, const std::vector<Explanation>&, Context&);
template void print_json(std::string_view, const std::vector<Restored>&, Context&);
template void print_json(std::string_view, const std::vector<OutcomeRow>&, Context&);
template void print_json(std::string_view, const std::vector<KindView>&, Context&);

} // namespace egb::cli
