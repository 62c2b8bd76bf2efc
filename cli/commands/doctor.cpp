// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "context.hpp"
#include "core/format.hpp"
#include "core/utf8.hpp"
#include "json.hpp"
#include "kind_state.hpp"
#include "text.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <sys/utsname.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace egb::cli {

namespace {

constexpr const char* unit_name = "eghostbuster.service";
constexpr const char* btf_path = "/sys/kernel/btf/vmlinux";

enum class Health : std::uint8_t {
    good,
    bad,
    note, ///< not as it should be, but nothing fails by it
};

/// One thing that was looked at.
struct Finding {
    std::string name;
    Health health{Health::good};
    std::string detail;
    std::string hint;
};

/// Findings about one thing: this machine, the daemon, one kind.
struct Section {
    std::string title;
    std::vector<Finding> findings;
};

Finding good(std::string name, std::string detail) {
    return {std::move(name), Health::good, std::move(detail), {}};
}

Finding note(std::string name, std::string detail) {
    return {std::move(name), Health::note, std::move(detail), {}};
}

Finding bad(std::string name, std::string detail, std::string hint) {
    return {std::move(name), Health::bad, std::move(detail), std::move(hint)};
}

Finding kernel() {
    utsname name{};
    uname(&name);
    return good("kernel", formatted("{} {}", name.release, name.machine));
}

Finding btf() {
    if (access(btf_path, R_OK) == 0) {
        return good("btf", btf_path);
    }
    return bad("btf", formatted("{} cannot be read: no program can be loaded", btf_path),
               "A kernel with CONFIG_DEBUG_INFO_BTF=y has it; those of all distributions do.");
}

Finding bus(const Answer<Client*>& client) {
    return client ? good("bus", (*client)->address())
                  : bad("bus", client.error().message, client.error().hint);
}

/// Without polkit nobody but root may change anything, which may be just what is wanted.
Finding polkit(Client& client) {
    const auto there = client.can_be_had("org.freedesktop.PolicyKit1");
    return there && *there ? good("polkit", "users can be authorised")
                           : note("polkit", "there is none on this bus: only root can change anything");
}

Finding unit(Client& client) {
    const auto unit = client.unit(unit_name);
    if (!unit) {
        return note("unit", "systemd is not on this bus and cannot be asked");
    }
    if (!unit->found) {
        return note("unit", formatted("systemd knows no {}", unit_name));
    }
    const auto state = formatted("{} is {} ({}), {}", unit_name, unit->active, unit->sub,
                                 unit->enabled.empty() ? "static" : unit->enabled);
    if (unit->active == "failed") {
        return bad("unit", state, formatted("See why: journalctl -b -u {}", unit_name));
    }
    return unit->active == "active" ? good("unit", state) : note("unit", state);
}

Finding daemon(const Answer<ManagerView>& manager) {
    return manager ? good("daemon", formatted("eghostbusterd {} answers", manager->version))
                   : bad("daemon", manager.error().message, manager.error().hint);
}

Finding versions(const std::string& ours, const std::string& theirs) {
    if (ours == theirs) {
        return good("versions", formatted("ghostctl and eghostbusterd are both {}", ours));
    }
    return bad("versions", formatted("ghostctl is {}, eghostbusterd {}", ours, theirs),
               "After an upgrade: systemctl restart eghostbuster");
}

Section daemon_section(const ManagerView& manager, const std::string& our_version) {
    Section section{"Daemon", {versions(our_version, manager.version)}};
    for (const auto& trouble : manager.troubles) {
        section.findings.push_back(bad("trouble", trouble, "See more: journalctl -u eghostbuster"));
    }
    if (manager.paused) {
        section.findings.push_back(note("paused", "nothing is touched until `ghostctl resume`"));
    }
    if (manager.dry_run) {
        section.findings.push_back(note("dry-run", "everything is checked, nothing is touched"));
    }
    return section;
}

Finding state_finding(const KindView& kind) {
    const auto word = std::string{state_of(kind).word};
    if (!kind.trouble.empty()) {
        return bad("state", formatted("{}: {}", word, kind.trouble), "");
    }
    return kind.enabled ? good("state", word) : note("state", word);
}

Section kind_section(const KindView& kind) {
    Section section{formatted("Kind {}", kind.name), {state_finding(kind)}};
    for (const auto& [name, works, detail] : kind.capabilities) {
        section.findings.push_back(works ? good(name, detail) : bad(name, detail, ""));
    }
    return section;
}

/// Everything that can be found out, from the machine up to the kinds. Stops where the way ends.
struct Examination {
    std::vector<Section> sections;
    std::optional<Failure> cut_short; ///< why the daemon could not be asked
};

Examination examine(Context& context) {
    Examination result;
    Section machine{"Machine", {kernel(), btf()}};
    const auto client = context.bus();
    machine.findings.push_back(bus(client));
    if (!client) {
        result.sections.push_back(std::move(machine));
        result.cut_short = client.error();
        return result;
    }
    machine.findings.push_back(polkit(**client));
    machine.findings.push_back(unit(**client));
    const auto manager = (*client)->find_daemon().and_then([&] {
        return (*client)->manager();
    });
    machine.findings.push_back(daemon(manager));
    result.sections.push_back(std::move(machine));
    if (!manager) {
        result.cut_short = manager.error();
        return result;
    }
    result.sections.push_back(daemon_section(*manager, context.version()));
    const auto kinds = kinds_of(**client, manager->kinds);
    if (!kinds) {
        result.cut_short = kinds.error();
        return result;
    }
    std::ranges::transform(*kinds, std::back_inserter(result.sections), kind_section);
    return result;
}

std::size_t lacks(const std::vector<Section>& sections) {
    std::ptrdiff_t count = 0;
    for (const auto& section : sections) {
        count += std::ranges::count(section.findings, Health::bad, &Finding::health);
    }
    return static_cast<std::size_t>(count);
}

std::string_view word(Health health) {
    switch (health) {
    case Health::good:
        return "good";
    case Health::bad:
        return "bad";
    case Health::note:
        return "note";
    }
    std::unreachable();
}

Mark mark_of(Health health) {
    switch (health) {
    case Health::good:
        return Mark::good;
    case Health::bad:
        return Mark::bad;
    case Health::note:
        return Mark::note;
    }
    std::unreachable();
}

Json to_json(const std::vector<Section>& sections) {
    auto all = Json::array();
    for (const auto& [title, findings] : sections) {
        auto list = Json::array();
        for (const auto& finding : findings) {
            list.push_back({{"name", finding.name},
                            {"health", word(finding.health)},
                            {"detail", finding.detail},
                            {"hint", finding.hint.empty() ? Json(nullptr) : Json(finding.hint)}});
        }
        all.push_back({{"title", title}, {"findings", std::move(list)}});
    }
    return {{"sections", std::move(all)}, {"lacks", lacks(sections)}};
}

std::size_t widest_name(const std::vector<Section>& sections) {
    std::size_t widest = 0;
    for (const auto& section : sections) {
        for (const auto& finding : section.findings) {
            widest = std::max(widest, columns_of(printable(finding.name)));
        }
    }
    return widest;
}

/// A detail may be long: it is broken into lines, and none of it is lost.
void print(const Finding& finding, std::size_t name_columns, Context& context) {
    constexpr std::size_t before_name = 4;
    constexpr std::size_t least_room = 30;
    const auto indentation = before_name + name_columns + 2;
    const auto columns = context.text_columns();
    const auto room = columns > indentation + least_room ? columns - indentation : least_room;
    const auto name = printable(finding.name);
    context.out() << "  " << context.mark(mark_of(finding.health)) << ' ' << name
                  << std::string(name_columns - columns_of(name) + 2, ' ');
    auto lines = wrap(printable(finding.detail), room);
    std::ranges::move(wrap(printable(finding.hint), room), std::back_inserter(lines));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        context.out() << (i == 0 ? "" : std::string(indentation, ' ')) << lines[i] << '\n';
    }
    if (lines.empty()) {
        context.out() << '\n';
    }
}

/// With --quiet what is good goes without saying.
std::vector<Section> worth_saying(std::vector<Section> sections, const Context& context) {
    if (context.options().quiet) {
        for (auto& section : sections) {
            std::erase_if(section.findings, [](const Finding& finding) {
                return finding.health != Health::bad;
            });
        }
        std::erase_if(sections, [](const Section& section) {
            return section.findings.empty();
        });
    }
    return sections;
}

void print(const std::vector<Section>& sections, Context& context) {
    const auto name_columns = widest_name(sections);
    for (const auto& [title, findings] : sections) {
        context.out() << context.paint(Style::strong, printable(title)) << '\n';
        for (const auto& finding : findings) {
            print(finding, name_columns, context);
        }
    }
    const auto count = lacks(sections);
    context.legend(count == 0 ? "\nEverything that is needed works."
                              : formatted("\n{} found.", counted(count, "lack")));
}

ExitCode doctor(Context& context) {
    const auto [sections, cut_short] = examine(context);
    if (context.options().json) {
        context.print(to_json(sections));
    } else {
        print(worth_saying(sections, context), context);
    }
    if (cut_short) {
        return cut_short->code;
    }
    return lacks(sections) == 0 ? ExitCode::ok : ExitCode::partly;
}

} // namespace

Action declare_doctor(CLI::App& /*app*/) {
    return doctor;
}

} // namespace egb::cli
