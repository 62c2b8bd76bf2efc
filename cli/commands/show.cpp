// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/heading.hpp"
#include "core/utf8.hpp"
#include "ghost_table.hpp"
#include "json.hpp"
#include "json_reading.hpp"
#include "options.hpp"
#include "text.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace egb::cli {

namespace {

/// Where the values begin.
constexpr std::size_t label_columns = 12;

/// One ghost as systemctl shows a unit: a headline, then labels that end in one column.
class Sheet {
public:
    explicit Sheet(Context& context) : context_{context} {}

    void line(std::string_view label, std::string_view value) {
        if (value.empty()) {
            return;
        }
        const auto blanks = label_columns - std::min(columns_of(label), label_columns);
        context_.out() << std::string(blanks, ' ') << label << (label.empty() ? "  " : ": ") << value << '\n';
    }

    /// The label stands at the first of the lines only.
    void lines(std::string_view label, const std::vector<std::string>& values) {
        for (const auto& value : values) {
            line(&value == &values.front() ? label : "", value);
        }
    }

private:
    Context& context_;
};

std::string since(const Json& ghost) {
    const auto at = wall_of(ghost.value("since", std::uint64_t{}));
    const auto* const known = text_of(ghost, "since_kind") == "at-least" ? ", or longer" : "";
    return formatted("{}; {}{}", stamp(at), relative(at, wall_now()), known);
}

std::string holder(const Json& holder) {
    auto text =
        formatted("{} ({}), uid {}", text_of(holder, "pid"), text_of(holder, "comm"), text_of(holder, "uid"));
    const auto fd = text_of(holder, "fd");
    text += fd.empty() ? "" : formatted(", descriptor {}", fd);
    for (const auto* name : {"unit", "container", "exe"}) {
        const auto value = text_of(holder, name);
        text += value.empty() ? "" : formatted(", {} {}", name, value);
    }
    return text;
}

std::vector<std::string> evidence(const Json& ghost, std::string_view weight) {
    std::vector<std::string> lines;
    for (const auto& piece : list_of(ghost, "evidence")) {
        if (text_of(piece, "weight") == weight) {
            lines.push_back(formatted("{} [{}]", text_of(piece, "text"), text_of(piece, "name")));
        }
    }
    return lines;
}

std::vector<std::string> fields(const Json& ghost) {
    std::vector<std::string> lines;
    const auto all = ghost.value("fields", Json::object());
    for (const auto& [name, value] : all.items()) {
        lines.push_back(formatted("{}={}", printable(name),
                                  printable(value.is_string() ? value.get<std::string>() : value.dump())));
    }
    return lines;
}

void print(const Json& ghost, Context& context) {
    const auto grade = text_of(ghost, "grade");
    context.out() << context.paint(style_of_grade(grade), glyph(Mark::dot, context.charset())) << ' '
                  << context.paint(Style::strong,
                                   formatted("{} {}", text_of(ghost, "kind"), text_of(ghost, "id")))
                  << " - " << text_of(ghost, "summary") << '\n';
    Sheet sheet{context};
    sheet.line("Grade", context.paint(style_of_grade(grade), grade));
    sheet.line("Since", since(ghost));
    const auto decision = ghost.value("decision", Json::object());
    sheet.line("Decision", formatted("{} ({})", text_of(decision, "action"), text_of(decision, "reason")));
    std::vector<std::string> holders;
    for (const auto& one : list_of(ghost, "holders")) {
        holders.push_back(holder(one));
    }
    sheet.lines(capitalised(ghost.value("bond", "held by")),
                holders.empty() ? std::vector<std::string>{"nobody that could be found"} : holders);
    sheet.lines("For it", evidence(ghost, "supports"));
    sheet.lines("Against it", evidence(ghost, "opposes"));
    sheet.lines("Fields", fields(ghost));
    sheet.line("Key", text_of(ghost, "key"));
    sheet.line("Part of", text_of(ghost, "group"));
}

void print_members(const Json& ghost, const std::vector<MemberRow>& members, Context& context) {
    if (members.empty()) {
        return;
    }
    context.out() << '\n';
    context.print(member_table(members, wall_now(), context.charset()));
    const auto total = ghost.value("members_total", std::size_t{});
    if (total > members.size()) {
        context.legend(formatted("\n{} more; `ghostctl show {} --json` has all of them.",
                                 total - members.size(), text_of(ghost, "id")));
    }
}

/// A ghost, and those it stands for: the first of them for a person, all of them for a program.
struct Described {
    Json ghost;
    std::vector<MemberRow> members;
};

constexpr std::size_t shown_members = 50;

Answer<Described> describe(GhostId id, Client& client, const Context& context) {
    auto ghost = client.describe(id);
    if (!ghost) {
        return std::unexpected(ghost.error());
    }
    const auto total = ghost->value("members_total", std::size_t{});
    auto members = client.members(id, context.options().json ? total : std::min(total, shown_members));
    return std::move(members).transform([&ghost](std::vector<MemberRow>&& rows) {
        return Described{.ghost = *std::move(ghost), .members = std::move(rows)};
    });
}

Json json_of(const std::vector<Described>& all) {
    auto ghosts = Json::array();
    for (const auto& [ghost, members] : all) {
        ghosts.push_back(ghost);
        if (!members.empty()) {
            ghosts.back()["members"] = to_json(members);
        }
    }
    return ghosts;
}

ExitCode show(const std::vector<GhostId>& ids, Context& context) {
    const auto daemon = context.daemon();
    if (!daemon) {
        return context.fail(daemon.error());
    }
    auto code = ExitCode::ok;
    std::vector<Described> all;
    for (const auto id : ids) {
        auto ghost = describe(id, **daemon, context);
        if (!ghost) {
            code = context.fail(ghost.error());
        } else {
            all.push_back(*std::move(ghost));
        }
    }
    if (context.options().json) {
        context.print(Json{{"ghosts", json_of(all)}});
        return code;
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        context.out() << (i == 0 ? "" : "\n");
        print(all[i].ghost, context);
        print_members(all[i].ghost, all[i].members, context);
    }
    return code;
}

} // namespace

Action declare_show(CLI::App& app) {
    const auto ids = std::make_shared<std::vector<GhostId>>();
    add_ids(app, *ids)->required();
    return [ids](Context& context) {
        return show(*ids, context);
    };
}

} // namespace egb::cli
