// SPDX-License-Identifier: Apache-2.0
// The composition root: builds everything, owns it, runs it, reloads it, stops it.
#pragma once

#include "kinds/catalog.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace egb {

/// Where a daemon finds its surroundings, so that tests can give it others than the system's.
struct DaemonOptions {
    std::filesystem::path state_directory{"/var/lib/eghostbuster"};
    std::filesystem::path config_root{"/"}; ///< before /usr/lib, /run and /etc
    std::filesystem::path proc;             ///< empty: ProcFs::default_root()
    std::string bus_address;                ///< empty: the system bus
    bool dry_run{};                         ///< DrySys in place of RealSys
};

class Daemon {
public:
    /// Throws when there is no point in running: no bus name, no usable configuration.
    Daemon(const DaemonOptions& options, std::span<const kinds::CatalogEntry> catalog);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Until SIGTERM or SIGINT; returns the exit code.
    int run();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace egb
