// SPDX-License-Identifier: Apache-2.0
#include "ghost_table.hpp"

#include <string>

namespace egb::cli {

Style style_of_grade(std::string_view grade) {
    return grade == "proven" ? Style::bad : Style::warning;
}

Style style_of_verdict(std::string_view verdict) {
    if (verdict == "cleaned" || verdict == "gone") {
        return Style::good;
    }
    return verdict == "failed" ? Style::bad : Style::warning;
}

Table ghost_table(const std::vector<GhostRow>& ghosts, WallTime now, Charset charset) {
    Table table{{{"ID", Align::right},
                 {"KIND"},
                 {"GRADE"},
                 {"AGE", Align::right},
                 {"PID", Align::right},
                 {"COMMAND", Align::left, Fit::flexible},
                 {"UNIT", Align::left, Fit::flexible},
                 {"SUMMARY", Align::left, Fit::flexible}}};
    for (const auto& ghost : ghosts) {
        table.add({{std::to_string(ghost.id)},
                   {ghost.kind},
                   {ghost.grade, style_of_grade(ghost.grade)},
                   {age(now - ghost.since, ghost.known, charset)},
                   {ghost.pid > 0 ? std::to_string(ghost.pid) : ""},
                   {ghost.command},
                   {ghost.unit},
                   {ghost.summary}});
    }
    return table;
}

Table member_table(const std::vector<MemberRow>& members, WallTime now, Charset charset) {
    Table table{{{"ID", Align::right},
                 {"FD", Align::right},
                 {"AGE", Align::right},
                 {"SUMMARY", Align::left, Fit::flexible}}};
    for (const auto& member : members) {
        table.add({{std::to_string(member.id)},
                   {member.fd >= 0 ? std::to_string(member.fd) : ""},
                   {age(now - member.since, member.known, charset)},
                   {member.summary}});
    }
    return table;
}

} // namespace egb::cli
