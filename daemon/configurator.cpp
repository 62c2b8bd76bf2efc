// SPDX-License-Identifier: Apache-2.0
#include "configurator.hpp"

#include "engine/governor.hpp"
#include "engine/policy.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace egb {

namespace {

constexpr std::string_view daemon_section{"Daemon"};
constexpr std::string_view governor_section{"Governor"};

constexpr std::array<std::string_view, 8> log_levels{"emerg",   "alert",  "crit", "err",
                                                     "warning", "notice", "info", "debug"};

constexpr auto daemon_options = std::to_array<OptionSpec>({
    {.name = "HistoryRows",
     .type = OptionType::count,
     .preset = "100000",
     .help = "How many incidents the history keeps."},
    {.name = "HistoryAge",
     .type = OptionType::span,
     .preset = "30d",
     .help = "How long the history keeps an incident."},
    {.name = "QuarantineFor",
     .type = OptionType::span,
     .preset = "30d",
     .help = "How long a file that was taken out of its place can be restored."},
    {.name = "QuarantineMax",
     .type = OptionType::count,
     .preset = "67108864",
     .help = "How many bytes of such files are kept. When there is no room, no file is taken."},
    {.name = "LogLevel",
     .type = OptionType::choice,
     .preset = "info",
     .help = "The least important messages that are logged. `systemctl service-log-level` changes it at run "
             "time.",
     .choices = log_levels},
    {.name = "DryRun",
     .type = OptionType::flag,
     .preset = "no",
     .help = "Check everything, and stop right before any act. Changes only with a restart."},
});

/// What is decided once, when the daemon starts.
constexpr std::array<std::string_view, 2> fixed_options{"DryRun", "Enabled"};

config::Section section(std::string_view name, std::span<const OptionSpec> options) {
    return {.name = std::string{name}, .options = {options.begin(), options.end()}};
}

config::Section section_of(const KindInfo& kind) {
    auto section = egb::section(kind.name, engine::common_kind_options());
    section.options.insert(section.options.end(), kind.options.begin(), kind.options.end());
    section.lists.assign(kind.lists.begin(), kind.lists.end());
    return section;
}

config::Config load_or_throw(const config::Schema& schema, const config::Paths& paths) {
    auto config = config::load(schema, paths);
    if (!config) {
        throw std::runtime_error{config.error().message};
    }
    return std::move(*config);
}

} // namespace

config::Schema schema_of(std::span<const kinds::CatalogEntry> catalog) {
    config::Schema schema{section(daemon_section, daemon_options),
                          section(governor_section, engine::governor_options())};
    for (const auto& entry : catalog) {
        schema.push_back(section_of(entry.info));
    }
    return schema;
}

Configurator::Configurator(std::span<const kinds::CatalogEntry> catalog, const std::filesystem::path& root,
                           const std::filesystem::path& state_directory)
    : schema_{schema_of(catalog)},
      paths_{config::Paths::standard(state_directory, root)},
      config_{load_or_throw(schema_, paths_)} {}

DaemonSettings Configurator::daemon() const {
    const OptionValues& values = config_.section(daemon_section);
    return {.history_rows = values.count("HistoryRows"),
            .history_age = values.span("HistoryAge"),
            .quarantine_for = values.span("QuarantineFor"),
            .quarantine_max = values.count("QuarantineMax"),
            .log_level = values.text("LogLevel"),
            .dry_run = values.flag("DryRun")};
}

const OptionValues& Configurator::governor() const {
    return config_.section(governor_section);
}

Result<> Configurator::reload() {
    return config::load(schema_, paths_).and_then([this](config::Config next) {
        return check_fixed(next).transform([&] {
            put_in_force(std::move(next));
        });
    });
}

Result<> Configurator::set(std::string_view kind, const std::map<std::string, std::string>& options,
                           Lifetime lifetime) {
    config::Config next = config_;
    for (const auto& [name, text] : options) {
        if (const auto taken = next.set(kind, name, text); !taken) {
            return taken;
        }
    }
    if (const auto fixed = check_fixed(next); !fixed) {
        return fixed;
    }
    if (lifetime == Lifetime::persistent) {
        if (const auto saved = config::save_policy(paths_.policy_file, kind, options); !saved) {
            return saved;
        }
    }
    put_in_force(std::move(next));
    return {};
}

/// To take half of a configuration and to be silent about the rest is worse than to refuse it.
Result<> Configurator::check_fixed(const config::Config& next) const {
    for (const auto& section : schema_) {
        for (const auto& option : section.options) {
            if (std::ranges::contains(fixed_options, option.name) &&
                config_.section(section.name).value(option.name) !=
                    next.section(section.name).value(option.name)) {
                return fail(
                    ErrorCode::unsupported,
                    "[{}] {}= is another, which takes a restart; the old configuration stays in force",
                    section.name, option.name);
            }
        }
    }
    return {};
}

void Configurator::put_in_force(config::Config next) {
    config_ = std::move(next);
    if (on_change_) {
        on_change_(config_);
    }
}

} // namespace egb
