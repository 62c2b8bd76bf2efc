// SPDX-License-Identifier: Apache-2.0
// The load of ./dev bench process: starts a program that does nothing, and waits for it, one after the other,
// as fast as one core can. With --fork-only no program is started, so that it is as fast as can be.
#include "bench/load.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace {

using egb::bench::check;

void wait_for(pid_t child) {
    check(::waitpid(child, nullptr, 0), "waitpid");
}

void start(const std::string& program) {
    std::string name{program};
    const std::array<char*, 2> arguments{name.data(), nullptr};
    pid_t child{};
    errno = ::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), nullptr);
    check(errno == 0 ? 0 : -1, "posix_spawn");
    wait_for(child);
}

void only_fork() {
    const pid_t child = check(::fork(), "fork");
    if (child == 0) {
        ::_exit(0);
    }
    wait_for(child);
}

} // namespace

int main(int argc, char** argv) {
    const std::span<char*> arguments{argv, static_cast<std::size_t>(argc)};
    if (argc > 1 && std::string_view{arguments[1]} == "--fork-only") {
        egb::bench::run_as_told(only_fork);
        return 0;
    }
    const auto program = std::filesystem::path{arguments[0]}.parent_path() / "process_nothing";
    egb::bench::run_as_told([&program] {
        start(program);
    });
}
