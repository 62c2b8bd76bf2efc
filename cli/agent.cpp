// SPDX-License-Identifier: Apache-2.0
#include "agent.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace egb::cli {

namespace {

constexpr int registration_ms = 5000;

/// Starts it with `notify` open and nothing else of ours. Not through PATH: it is about to be told a
/// password.
pid_t start(int notify) {
    std::string program{"/usr/bin/pkttyagent"};
    std::string notify_option{"--notify-fd"};
    std::string fallback{"--fallback"};
    auto number = std::to_string(notify);
    std::array<char*, 5> arguments{program.data(), notify_option.data(), number.data(), fallback.data(),
                                   nullptr};
    const pid_t pid = fork();
    if (pid == 0) {
        // Whatever becomes of us, the terminal is not left to it.
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execv(program.c_str(), arguments.data());
        _exit(EXIT_FAILURE);
    }
    return pid;
}

} // namespace

PasswordAgent::PasswordAgent() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return;
    }
    fcntl(ends[1], F_SETFD, 0);
    pid_ = start(ends[1]);
    close(ends[1]);
    if (pid_ > 0) {
        // It closes its end when it is registered; so does its death.
        pollfd wait{.fd = ends[0], .events = POLLIN, .revents = 0};
        while (poll(&wait, 1, registration_ms) < 0 && errno == EINTR) {
        }
    }
    close(ends[0]);
}

PasswordAgent::~PasswordAgent() {
    if (pid_ <= 0) {
        return;
    }
    kill(pid_, SIGTERM);
    kill(pid_, SIGCONT); // it may have been stopped by the terminal
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

} // namespace egb::cli
