// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"

#include "config/files.hpp"
#include "config/nearest.hpp"
#include "config/syntax.hpp"
#include "core/format.hpp"

#include <algorithm>
#include <ranges>
#include <stdexcept>
#include <utility>

namespace egb::config {

namespace {

Result<> apply(Config& config, const Statement& statement) {
    return statement.name.empty() ? config.check_section(statement.section)
                                  : config.assign(statement.section, statement.name, statement.value);
}

Result<> read_into(Config& config, const std::filesystem::path& path) {
    const auto text = read_file(path);
    if (!text) {
        return std::unexpected(text.error());
    }
    const auto statements = parse(*text);
    if (!statements) {
        return fail(statements.error().code, "{}:{}", path.string(), statements.error().message);
    }
    for (const auto& statement : *statements) {
        if (auto applied = apply(config, statement); !applied) {
            return fail(applied.error().code, "{}:{}: {}", path.string(), statement.first_line,
                        applied.error().message);
        }
    }
    return {};
}

void read_lists(Config& config, const Schema& schema, const Paths& paths) {
    for (const auto& section : schema) {
        for (const auto& list : section.lists) {
            for (const auto& file : find_lists(paths, section.name, list.name)) {
                config.read_list(section.name, list, file);
            }
        }
    }
}

} // namespace

Paths Paths::standard(const std::filesystem::path& state_directory, const std::filesystem::path& root) {
    return {
        .directories = {root / "usr/lib/eghostbuster", root / "run/eghostbuster", root / "etc/eghostbuster"},
        .policy_file = state_directory / "policy.conf",
        .lists = {root / "usr/share/eghostbuster", root / "etc/eghostbuster"}};
}

Config::Config(const Schema& schema) {
    for (const auto& section : schema) {
        sections_.emplace(section.name, OptionValues{section.options, section.lists});
    }
}

const OptionValues& Config::section(std::string_view name) const {
    const auto found = sections_.find(name);
    if (found == sections_.end()) {
        throw std::out_of_range{formatted("no section [{}]", name)};
    }
    return found->second;
}

Result<> Config::check_section(std::string_view name) const {
    if (sections_.contains(name)) {
        return {};
    }
    const auto names = sections_ | std::views::keys | std::ranges::to<std::vector<std::string_view>>();
    return fail(ErrorCode::not_found, "no section [{}]; {}", name, suggestion(name, names));
}

Result<const OptionSpec*> Config::find(std::string_view section, std::string_view name) const {
    if (auto known = check_section(section); !known) {
        return std::unexpected(known.error());
    }
    const auto table = this->section(section).table();
    const auto spec = std::ranges::find(table, name, &OptionSpec::name);
    if (spec == table.end()) {
        const auto names = table | std::views::transform(&OptionSpec::name) | std::ranges::to<std::vector>();
        return fail(ErrorCode::not_found, "no option {}= in [{}]; {}", name, section,
                    suggestion(name, names));
    }
    return &*spec;
}

Result<> Config::set(std::string_view section, std::string_view name, std::string_view text) {
    return find(section, name).and_then([&](const OptionSpec* spec) {
        const bool to_default = text.empty() && spec->type != OptionType::list;
        return sections_.find(section)->second.set(name, to_default ? spec->preset : text);
    });
}

Result<> Config::assign(std::string_view section, std::string_view name, std::string_view text) {
    return find(section, name).and_then([&](const OptionSpec* spec) {
        if (spec->type != OptionType::list || text.empty()) {
            return set(section, name, text);
        }
        // Alone first, so that a complaint is about this text and not about all of the list.
        return parse_option(*spec, text).and_then([&](const OptionValue&) {
            const auto before = to_text(this->section(section).value(name));
            return set(section, name, before.empty() ? std::string{text} : before + ' ' + std::string{text});
        });
    });
}

void Config::read_list(std::string_view section, const ListSpec& list, const std::filesystem::path& path) {
    const auto text = read_file(path);
    if (!text) {
        mistakes_.push_back(text.error().message);
        return;
    }
    const auto [words, mistakes] = read_words(*text, list.check);
    sections_.find(section)->second.add_words(list.name, words);
    for (const auto& [line, reason] : mistakes) {
        mistakes_.push_back(formatted("{}:{}: {}", path.string(), line, reason));
    }
}

Result<Config> load(const Schema& schema, const Paths& paths) {
    const auto files = find_files(paths);
    if (!files) {
        return std::unexpected(files.error());
    }
    Config config{schema};
    for (const auto& file : *files) {
        if (auto done = read_into(config, file); !done) {
            return std::unexpected(done.error());
        }
    }
    read_lists(config, schema, paths);
    return config;
}

} // namespace egb::config
