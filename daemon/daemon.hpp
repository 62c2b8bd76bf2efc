// SPDX-License-Identifier: Apache-2.0
// The composition root: builds everything, owns it, runs it, reloads it, stops it.
#pragma once

#include "kinds/catalog.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace egb {

namespace sinks {
class Log;
} // namespace sinks

/// Where a daemon finds its surroundings, so that tests can give it others than the system's.
struct DaemonOptions {
    std::filesystem::path state_directory{"/var/lib/eghostbuster"};
    std::filesystem::path config_root{"/"}; ///< before /usr/lib, /run and /etc, of unit files as well
    std::filesystem::path proc;             ///< empty: ProcFs::default_root()
    std::string bus_address;                ///< empty: the system bus
    bool dry_run{};                         ///< DrySys in place of RealSys
};

/// Of this build.
[[nodiscard]] std::string_view version();

/// Throws std::runtime_error, with FILE:LINE: reason, when the configuration is not in order; a line for each
/// mistake in a list.
void check_configuration(const DaemonOptions& options, std::span<const kinds::CatalogEntry> catalog);

/// The configuration file that says nothing but the defaults, with the help of each option.
[[nodiscard]] std::string default_configuration(std::span<const kinds::CatalogEntry> catalog);

/// One per process. What it throws, it has said in the log.
class Daemon {
public:
    /// Starts everything but the loop. Throws when there is no point in running: no bus name, no usable
    /// configuration.
    Daemon(const DaemonOptions& options, std::span<const kinds::CatalogEntry> catalog);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Until SIGTERM or SIGINT; returns the exit code.
    int run();

private:
    class Impl;
    std::unique_ptr<sinks::Log> log_; ///< first: it hears of everything
    std::unique_ptr<Impl> impl_;
};

} // namespace egb
