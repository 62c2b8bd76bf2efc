// SPDX-License-Identifier: Apache-2.0
// So many processes that do nothing, until standard input ends.
//   process_crowd COUNT USER
#include "bench/load.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <span>
#include <vector>

namespace {

[[noreturn]] void idle() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) {
        ::pause();
    }
}

} // namespace

int main(int argc, char** argv) {
    const std::span<char*> arguments{argv, static_cast<std::size_t>(argc)};
    const long count = argc > 1 ? std::strtol(arguments[1], nullptr, 10) : 0;
    const auto user = static_cast<uid_t>(argc > 2 ? std::strtoul(arguments[2], nullptr, 10) : 0);
    egb::bench::check(::setuid(user), "setuid");
    std::vector<pid_t> crowd;
    for (long started = 0; started < count; ++started) {
        const pid_t one = egb::bench::check(::fork(), "fork");
        if (one == 0) {
            idle();
        }
        crowd.push_back(one);
    }
    std::cout << "{}\n" << std::flush;
    std::cin.get();
    for (const pid_t one : crowd) {
        ::kill(one, SIGKILL);
    }
    while (::wait(nullptr) > 0) {
    }
}
