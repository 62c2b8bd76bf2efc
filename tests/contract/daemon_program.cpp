// SPDX-License-Identifier: Apache-2.0
// eghostbusterd with the kind `fake` alone: ADDRESS-OF-THE-BUS STATE-DIRECTORY CONFIGURATION-ROOT
#include "daemon.hpp"
#include "harness/directory_kind.hpp"

#include <array>
#include <cstdlib>
#include <exception>
#include <iostream>

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "three arguments: the bus, the state directory, the root of the configuration\n";
        return EXIT_FAILURE;
    }
    egb::DaemonOptions options;
    options.bus_address = argv[1];
    options.state_directory = argv[2];
    options.config_root = argv[3];
    const std::array catalog{
        egb::kinds::CatalogEntry{.info = egb::test::fake_info(), .make = egb::test::make_directory_kind}};
    try {
        return egb::Daemon{options, catalog}.run();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
