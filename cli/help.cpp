// SPDX-License-Identifier: Apache-2.0
#include "help.hpp"

#include "core/format.hpp"
#include "text.hpp"

#include <algorithm>
#include <ranges>
#include <string_view>
#include <vector>

namespace egb::cli {

namespace {

/// Where the explanations begin.
constexpr std::size_t text_column = 26;

template <typename Range, typename Group>
std::vector<std::string> groups_of(const Range& entries, Group group) {
    std::vector<std::string> groups;
    for (const auto* entry : entries) {
        if (const auto name = group(entry); !name.empty() && !std::ranges::contains(groups, name)) {
            groups.push_back(name);
        }
    }
    return groups;
}

std::vector<const CLI::App*> children(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) {
        return true;
    });
}

/// "  -q, --quiet" or "      --kind KIND"
std::string left_of(const CLI::Option& option) {
    const auto& shorts = option.get_snames();
    const auto& longs = option.get_lnames();
    std::string left =
        shorts.empty() ? "    " : formatted("-{}{}", shorts.front(), longs.empty() ? "" : ", ");
    left += longs.empty() ? "" : "--" + longs.front();
    return left + (option.get_option_text().empty() ? "" : " " + option.get_option_text());
}

/// " ID...", or " [ID...]" where it may be left out, for each argument.
std::string arguments_of(const CLI::App& app) {
    std::string text;
    for (const auto* option : app.get_options([](const CLI::Option* o) {
             return o->get_positional();
         })) {
        const auto& name = option->get_option_text();
        text += option->get_required() ? " " + name : formatted(" [{}]", name);
    }
    return text;
}

std::string usage_of(const CLI::App& app) {
    std::string usage = formatted("Usage: {} [OPTION...]", full_name(app));
    usage += arguments_of(app);
    if (!children(app).empty()) {
        usage += " [VERB] [ARGUMENT...]";
    }
    return usage + '\n';
}

/// The examples: commands, and behind "  # " what they are for.
std::string examples_of(const CLI::App& app) {
    const auto footer = app.get_footer();
    if (footer.empty() || app.get_parent() == nullptr) {
        return footer.empty() ? "" : "\n" + footer + "\n";
    }
    std::string text = "\nExamples:\n";
    for (const auto line : footer | std::views::split('\n')) {
        text += formatted("  {}\n", std::string_view{line});
    }
    return text;
}

} // namespace

std::string full_name(const CLI::App& app) {
    return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

std::string Help::entry(const std::string& left, const std::string& text) const {
    const auto room = columns_ > text_column + 20 ? columns_ - text_column : 20;
    std::string shown = "  " + left;
    bool first = columns_of(shown) < text_column;
    shown += first ? "" : "\n";
    for (const auto& line : wrap(text, room)) {
        shown += std::string(text_column - (first ? columns_of(shown) : 0), ' ') + line + '\n';
        first = false;
    }
    return shown;
}

std::string Help::paragraph(const std::string& text) const {
    std::string shown;
    for (const auto& line : wrap(text, columns_)) {
        shown += line + '\n';
    }
    return shown;
}

std::string Help::verbs(const CLI::App& app) const {
    const auto all = children(app);
    std::string text;
    for (const auto& group : groups_of(all, [](const CLI::App* verb) {
             return verb->get_group();
         })) {
        text += formatted("\n{}:\n", group);
        for (const auto* verb : all) {
            if (verb->get_group() == group) {
                text += entry(verb->get_name() + arguments_of(*verb), verb->get_description());
            }
        }
    }
    return text;
}

std::string Help::options(const CLI::App& app) const {
    const auto all = app.get_options([](const CLI::Option* option) {
        return !option->get_positional();
    });
    std::string text;
    for (const auto& group : groups_of(all, [](const CLI::Option* option) {
             return option->get_group();
         })) {
        text += formatted("\n{}:\n", group);
        for (const auto* option : all) {
            if (option->get_group() == group) {
                text += entry(left_of(*option), option->get_description());
            }
        }
    }
    return text;
}

std::string Help::make_help(const CLI::App* app, std::string /*name*/, CLI::AppFormatMode /*mode*/) const {
    std::string text = usage_of(*app);
    text +=
        '\n' + paragraph(app->get_description() + (app->get_usage().empty() ? "" : ". " + app->get_usage()));
    text += verbs(*app);
    text += options(*app);
    text += examples_of(*app);
    if (app->get_parent() != nullptr) {
        text += '\n' + paragraph("Options of all verbs, --json among them, are in ghostctl --help.");
    }
    return text;
}

} // namespace egb::cli
