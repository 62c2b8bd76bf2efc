// SPDX-License-Identifier: Apache-2.0
// The configuration in force, and the two ways in which it becomes another: a reload of the files, and single
// options set at run time. Either everything changes or nothing. Owned by the daemon, runs on its loop.
#pragma once

#include "bus/control.hpp"
#include "config/config.hpp"
#include "kinds/catalog.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egb {

/// The section [Daemon].
struct DaemonSettings {
    std::uint64_t history_rows{};
    Span history_age{};
    Span quarantine_for{};
    std::uint64_t quarantine_max{}; ///< bytes
    std::string log_level;
    bool dry_run{};
};

/// Every section of a daemon with these kinds.
[[nodiscard]] config::Schema schema_of(std::span<const kinds::CatalogEntry> catalog);

class Configurator {
public:
    /// Told whenever another configuration is in force.
    using OnChange = std::function<void(const config::Config&)>;

    /// Reads the files below `root`, and policy.conf in the state directory. Throws std::runtime_error, with
    /// FILE:LINE: reason, when they are not in order.
    Configurator(std::span<const kinds::CatalogEntry> catalog, const std::filesystem::path& root,
                 const std::filesystem::path& state_directory);
    ~Configurator() = default;
    Configurator(const Configurator&) = delete;
    Configurator& operator=(const Configurator&) = delete;

    void on_change(OnChange on_change) { on_change_ = std::move(on_change); }

    [[nodiscard]] DaemonSettings daemon() const;
    [[nodiscard]] const OptionValues& governor() const;
    [[nodiscard]] const OptionValues& kind(std::string_view name) const { return config_.section(name); }

    /// Of the lists: FILE:LINE: reason, for each line that does not count.
    [[nodiscard]] const std::vector<std::string>& mistakes() const { return config_.mistakes(); }

    /// What was set at run time, and not for ever, is lost.
    [[nodiscard]] Result<> reload();

    using Lifetime = bus::Control::Lifetime;
    [[nodiscard]] Result<> set(std::string_view kind, const std::map<std::string, std::string>& options,
                               Lifetime lifetime);

private:
    [[nodiscard]] Result<> check_fixed(const config::Config& next) const;
    void put_in_force(config::Config next);

    config::Schema schema_;
    config::Paths paths_;
    config::Config config_;
    OnChange on_change_;
};

} // namespace egb
