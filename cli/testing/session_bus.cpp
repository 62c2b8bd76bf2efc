// SPDX-License-Identifier: Apache-2.0
#include "testing/session_bus.hpp"

#include "testing/program.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace egb::test {

namespace {

std::filesystem::path make_folder() {
    auto name = (std::filesystem::temp_directory_path() / "egb-bus-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error{"no temporary folder"};
    }
    return name;
}

} // namespace

SessionBus::SessionBus() : folder_{make_folder()} {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error{"no pipe"};
    }
    fcntl(ends[1], F_SETFD, 0);
    const auto log = folder_ / "log";
    const int log_fd = open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    pid_ = spawn({EGB_DBUS_DAEMON, "--session", "--nofork", "--nopidfile", "--nosyslog",
                  "--address=unix:path=" + (folder_ / "bus").string(),
                  "--print-address=" + std::to_string(ends[1])},
                 {}, {.in = {}, .out = {}, .err = log_fd});
    close(log_fd);
    close(ends[1]);
    address_ = read_line(ends[0]);
    close(ends[0]);
    if (address_.empty()) {
        throw std::runtime_error{"dbus-daemon did not start"};
    }
}

SessionBus::~SessionBus() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

} // namespace egb::test
