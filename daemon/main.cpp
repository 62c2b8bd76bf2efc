// SPDX-License-Identifier: Apache-2.0
#include "daemon.hpp"
#include "host/container.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>

int main(int argc, char** argv) {
    egb::DaemonOptions options;
    if (const char* directory = std::getenv("STATE_DIRECTORY")) { // from systemd
        options.state_directory = directory;
    }
    bool check_config{};
    bool print_config{};
    bool in_container{};
    CLI::App app{"Finds forgotten kernel resources, proves that they are, lays them to rest.",
                 "eghostbusterd"};
    app.set_version_flag("--version", std::string{egb::version()});
    app.add_flag("--check-config", check_config,
                 "Read the configuration, say what is wrong with it, and exit");
    app.add_flag("--print-config", print_config, "Print a configuration file with all defaults, and exit");
    app.add_flag("--dry-run", options.dry_run, "Check everything, and stop right before any act");
    app.add_flag(
        "--container", in_container,
        "In a container that sees the machine's processes: go by the machine's configuration and units, "
        "and speak to its systemd");
    CLI11_PARSE(app, argc, argv);
    if (in_container) {
        egb::host::speak_to_systemd_directly();
        options.config_root = egb::host::root_of_machine();
        // Said here, since there is no log yet.
        if (const auto within = egb::host::links_stay_within(options.config_root); !within) {
            std::cerr << within.error().message << '\n';
            return EXIT_FAILURE;
        }
    }

    const auto catalog = egb::kinds::catalog();
    if (print_config) {
        std::cout << egb::default_configuration(catalog);
        return EXIT_SUCCESS;
    }
    try {
        if (check_config) {
            egb::check_configuration(options, catalog);
            return EXIT_SUCCESS;
        }
        return egb::Daemon{options, catalog}.run();
    } catch (const std::exception& error) {
        std::cerr << (check_config ? error.what() : "eghostbusterd cannot go on; its log says why") << '\n';
        return EXIT_FAILURE;
    }
}
