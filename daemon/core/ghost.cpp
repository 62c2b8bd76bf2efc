// SPDX-License-Identifier: Apache-2.0
#include "core/ghost.hpp"

#include "core/kind_info.hpp"

#include <algorithm>
#include <utility>

namespace egb {

std::string_view to_string(Grade grade) {
    switch (grade) {
    case Grade::suspected:
        return "suspected";
    case Grade::proven:
        return "proven";
    }
    std::unreachable();
}

std::string_view to_string(SinceKind since_kind) {
    switch (since_kind) {
    case SinceKind::observed:
        return "observed";
    case SinceKind::at_least:
        return "at-least";
    }
    std::unreachable();
}

Result<Grade> parse_grade(std::string_view text) {
    for (const auto grade : {Grade::suspected, Grade::proven}) {
        if (text == to_string(grade)) {
            return grade;
        }
    }
    return fail(ErrorCode::invalid, "expected suspected or proven, not \"{}\"", text);
}

bool is_member(const Ghost& ghost, const Ghost& summary) {
    return !ghost.group.empty() && ghost.group == summary.key && ghost.kind == summary.kind;
}

bool GhostFilter::matches(const Ghost& ghost, Instant now) const {
    const bool member = !ghost.group.empty();
    if (group != 0 ? !member : member && !members) {
        return false;
    }
    if ((!kind.empty() && ghost.kind->name != kind) || (grade && ghost.grade != *grade) ||
        now - ghost.since < min_age) {
        return false;
    }
    const bool any_holder = !pid && !uid && unit.empty() && container.empty() && comm.empty();
    return any_holder || std::ranges::any_of(ghost.holders, [this](const Holder& holder) {
               const Process& process = *holder.process;
               return (!pid || process.id.pid == *pid) && (!uid || process.uid == *uid) &&
                      (unit.empty() || process.unit == unit) && process.container.starts_with(container) &&
                      (comm.empty() || process.comm == comm);
           });
}

} // namespace egb
