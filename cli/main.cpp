// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

int main(int argc, char** argv) {
    using namespace egb::cli;
    try {
        const auto code =
            run(std::vector<std::string>(argv + std::min(1, argc), argv + argc), look_at_terminal(),
                {.in = std::cin, .out = std::cout, .err = std::cerr}, EGB_VERSION);
        std::cout.flush();
        if (!std::cout) {
            std::cerr << "ghostctl: standard output cannot be written to.\n";
            return std::to_underlying(ExitCode::partly);
        }
        return std::to_underlying(code);
    } catch (const std::exception& error) {
        std::cerr << "ghostctl: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
