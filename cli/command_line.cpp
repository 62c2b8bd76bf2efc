// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include "core/format.hpp"
#include "core/time_span.hpp"
#include "help.hpp"
#include "options.hpp"
#include "text.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace egb::cli {

namespace {

constexpr const char* description = "See what the ghosts of this machine are, why they are held to be "
                                    "ghosts, and lay them to rest. Without a "
                                    "verb: status.";

constexpr const char* exit_codes =
    "Exit status: 0 well, 1 some of it failed or doctor found a lack, 2 wrong usage, 3 the daemon\n"
    "cannot be reached, 4 not authorised, 5 no such ghost, kind or file, 6 refused or not supported.\n"
    "\n"
    "`ghostctl VERB --help` says more about a verb, ghostctl(1) about all of them.";

/// The verb that the arguments got as far as.
const CLI::App& reached(const CLI::App& app) {
    const auto parsed = app.get_subcommands();
    return parsed.empty() ? app : reached(*parsed.front());
}

/// What was left over, and what may have been meant by it.
std::string surplus(const CLI::App& app) {
    const auto left = app.remaining(true);
    const auto& where = reached(app);
    const std::string word = left.empty() ? "" : left.front();
    std::vector<std::string> known;
    std::string what = "argument";
    if (word.starts_with('-')) {
        what = "option";
        for (const auto* level : {&where, &app}) {
            for (const auto* option : level->get_options()) {
                std::ranges::transform(option->get_lnames(), std::back_inserter(known),
                                       [](const std::string& name) {
                                           return "--" + name;
                                       });
            }
        }
    } else if (const auto verbs = where.get_subcommands([](const CLI::App*) {
                   return true;
               });
               !verbs.empty()) {
        what = "verb";
        std::ranges::transform(verbs, std::back_inserter(known), &CLI::App::get_name);
    }
    const auto meant = nearest(word, known);
    return formatted("there is no {} \"{}\"{}", what, word,
                     meant.empty() ? "." : formatted("; did you mean {}?", meant));
}

/// The arguments of `app` that are needed and not there.
std::string missing(const CLI::App& app) {
    std::string names;
    for (const auto* option : app.get_options()) {
        if (option->get_required() && option->count() == 0) {
            names += (names.empty() ? "" : " ") + option->get_option_text();
        }
    }
    return names + " is missing";
}

std::string lower_first(std::string text) {
    if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') {
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    }
    return text;
}

} // namespace

CommandLine::CommandLine(const std::string& version, std::size_t columns) : app_{description, "ghostctl"} {
    app_.formatter(std::make_shared<Help>(columns));
    app_.set_help_flag("-h,--help", "Show this help");
    app_.require_subcommand(0, 1);
    app_.footer(exit_codes);
    add_global_options(version);
    add_verbs();
}

void CommandLine::add_global_options(const std::string& version) {
    app_.set_version_flag("--version", "ghostctl " + version, "Show the version of ghostctl");
    add_flag(app_, {"-j,--json", "", "Print JSON, in the form that ghostctl(1) promises"}, options_.json);
    add_flag(app_, {"-q,--quiet", "", "Print only what a script needs: ids, names, failures"},
             options_.quiet);
    add_flag(app_, {"-l,--full", "", "Do not shorten anything to fit the terminal"}, options_.full);
    add_flag(app_, {"--no-legend", "", "Print no headings and no footers"}, options_.no_legend);
    add_read(app_,
             {"--color", "WHEN", "Colour: auto (on a terminal, unless NO_COLOR is set), always or never"},
             [this](const std::string& text) -> Result<> {
                 const auto modes = {std::pair{"auto", ColourMode::automatic},
                                     {"always", ColourMode::always},
                                     {"never", ColourMode::never}};
                 for (const auto& [name, mode] : modes) {
                     if (text == name) {
                         options_.colour = mode;
                         return {};
                     }
                 }
                 return fail(ErrorCode::invalid, "expected one of auto, always, never, not \"{}\"", text);
             });
    add_text(app_, {"--address", "ADDRESS", "The bus, if not the system bus ($DBUS_SYSTEM_BUS_ADDRESS)"},
             options_.address);
    add_read(app_, {"--timeout", "SPAN", "How long to wait for an answer of the daemon; 25s if not given"},
             [this](const std::string& text) -> Result<> {
                 const auto span = parse_span(text);
                 if (span && *span < std::chrono::milliseconds{1}) {
                     return fail(ErrorCode::invalid, "expected at least 1ms, not \"{}\"", text);
                 }
                 return span.transform([this](Span timeout) {
                     options_.timeout = timeout;
                 });
             });
    add_flag(app_, {"--no-ask-password", "", "Do not ask for a password, fail when one is needed"},
             options_.no_ask_password);
}

void CommandLine::add_verbs() {
    for (const Verb& verb : verbs()) {
        auto* const sub = app_.add_subcommand(std::string{verb.name}, std::string{verb.summary});
        sub->group(std::string{verb.group});
        sub->footer(std::string{verb.examples});
        // CLI11 keeps a usage line here; Help writes its own, and finds the details in its place.
        sub->usage(std::string{verb.details});
        // The options of all verbs may stand behind the verb too.
        sub->fallthrough();
        actions_.push_back(verb.declare(*sub));
    }
}

std::expected<Action, Reply> CommandLine::parse(std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);
    try {
        app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        return std::unexpected(Reply{ExitCode::ok, app_.help()});
    } catch (const CLI::CallForVersion& version) {
        return std::unexpected(Reply{ExitCode::ok, formatted("{}\n", version.what())});
    } catch (const CLI::ParseError& error) {
        return std::unexpected(mistake(error));
    }
    for (std::size_t i = 0; i < actions_.size(); ++i) {
        if (app_.got_subcommand(std::string{verbs()[i].name})) {
            return actions_[i];
        }
    }
    return actions_.front();
}

Reply CommandLine::mistake(const CLI::ParseError& error) const {
    const auto name = full_name(reached(app_));
    const auto what = [this, &error]() -> std::string {
        if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
            return surplus(app_);
        }
        if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
            return missing(reached(app_));
        }
        // Each option of ours takes exactly one value, and the last one given counts.
        if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
            const std::string_view text = error.what();
            return formatted("{} needs a value", text.substr(0, text.find(':')));
        }
        return lower_first(error.what());
    }();
    return {ExitCode::usage, formatted("{}: {}\nTry: {} --help\n", name, what, name)};
}

} // namespace egb::cli
