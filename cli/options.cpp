// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include "core/time_span.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <utility>

namespace egb::cli {

namespace {

Result<GhostId> parse_id(std::string_view text) {
    auto number = text;
    if (number.starts_with('#')) {
        number.remove_prefix(1);
    }
    const auto id = parse_number<GhostId>(number);
    if (!id || *id == 0) {
        return fail(ErrorCode::invalid,
                    "\"{}\" is no ghost's id; `ghostctl list` shows them in its first column", text);
    }
    return *id;
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

[[noreturn]] void refuse(const std::string& name, const Error& error) {
    throw CLI::ValidationError(name, error.message);
}

} // namespace

CLI::Option* add_read(CLI::App& app, const OptionText& text,
                      std::function<Result<>(const std::string&)> read) {
    auto* const option = app.add_option_function<std::string>(
        text.names,
        [read = std::move(read),
         name = text.names.substr(text.names.rfind(',') + 1)](const std::string& value) {
            if (const auto done = read(value); !done) {
                refuse(name, done.error());
            }
        },
        text.help);
    return option->option_text(text.value)->take_last();
}

CLI::Option* add_text(CLI::App& app, const OptionText& text, std::string& target) {
    return add_read(app, text, [&target](const std::string& value) {
        target = value;
        return Result<>{};
    });
}

CLI::Option* add_flag(CLI::App& app, const OptionText& text, bool& target) {
    return app.add_flag(text.names, target, text.help);
}

CLI::Option* add_span(CLI::App& app, const OptionText& text, Span& target) {
    return add_read(app, text, [&target](const std::string& value) {
        return parse_span(value).transform([&target](Span span) {
            target = span;
        });
    });
}

CLI::Option* add_choice(CLI::App& app, const OptionText& text, std::vector<std::string> choices,
                        std::string& target) {
    return add_read(app, text, [&target, choices = std::move(choices)](const std::string& value) -> Result<> {
        if (!std::ranges::contains(choices, value)) {
            return fail(ErrorCode::invalid, "expected one of {}, not \"{}\"", join(choices), value);
        }
        target = value;
        return {};
    });
}

CLI::Option* add_ids(CLI::App& app, std::vector<GhostId>& target) {
    auto* const option = app.add_option_function<std::vector<std::string>>(
        "ID",
        [&target](const std::vector<std::string>& texts) {
            for (const auto& text : texts) {
                const auto id = parse_id(text);
                if (!id) {
                    refuse("ID", id.error());
                }
                target.push_back(*id);
            }
        },
        "Ghosts, as `ghostctl list` numbers them");
    return option->option_text("ID...");
}

void add_filter(CLI::App& app, Filter& filter) {
    const std::initializer_list<CLI::Option*> options{
        add_text(app, {"--kind", "KIND", "Only ghosts of this kind; `ghostctl kinds` lists them"},
                 filter.kind),
        add_choice(app, {"--grade", "GRADE", "Only those that are suspected, or proven"},
                   {"suspected", "proven"}, filter.grade),
        add_number(app, {"--pid", "PID", "Only those that this process holds"}, filter.pid),
        add_number(app, {"--uid", "UID", "Only those that a process of this user holds"}, filter.uid),
        add_text(app, {"--unit", "UNIT", "Only those that a process of this systemd unit holds"},
                 filter.unit),
        add_text(app,
                 {"--container", "ID", "Only those of this container; the beginning of its id is enough"},
                 filter.container),
        add_text(app, {"--comm", "NAME", "Only those that a process of this name holds"}, filter.command),
        add_read(app, {"--min-age", "SPAN", "Only those that are at least so old: 90, 5min, 2h"},
                 [&filter](const std::string& text) {
                     return parse_span(text).transform([&filter](Span span) {
                         filter.min_age = span;
                     });
                 }),
    };
    for (auto* const option : options) {
        option->group("Filters");
    }
}

} // namespace egb::cli
