// SPDX-License-Identifier: Apache-2.0
#include "harness/bus_daemon.hpp"

#include "core/format.hpp"
#include "host/fd.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace egb::test {

namespace {

/// In the child: becomes dbus-daemon, which writes its address to `ready` when it listens.
[[noreturn]] void become_bus(char* const* arguments, int ready, int log) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::fcntl(ready, F_SETFD, 0);
    ::dup2(log, STDERR_FILENO);
    ::execv(EGB_DBUS_DAEMON, arguments);
    ::_exit(127);
}

std::string said_in(const std::filesystem::path& log) {
    std::ifstream file{log};
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace

BusDaemon::BusDaemon(const std::vector<std::string>& options) {
    static std::atomic<unsigned> made;
    address_ = formatted("unix:abstract=egb-bus-{}-{}", ::getpid(), ++made);
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        throw std::system_error{errno, std::generic_category(), "pipe2"};
    }
    const host::Fd ready{pipe[0]};
    host::Fd theirs{pipe[1]};
    std::vector<std::string> words{EGB_DBUS_DAEMON,
                                   "--nofork",
                                   "--nopidfile",
                                   "--nosyslog",
                                   formatted("--address={}", address_),
                                   formatted("--print-address={}", theirs.get())};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const auto log_file = folder_.path() / "bus.log";
    const host::Fd log{::open(log_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    pid_ = ::fork();
    if (pid_ == 0) {
        become_bus(arguments.data(), theirs.get(), log.get());
    }
    theirs.reset();
    char first{};
    if (pid_ < 0 || ::read(ready.get(), &first, 1) != 1) {
        throw std::runtime_error{"dbus-daemon does not start: " + said_in(log_file)};
    }
}

void BusDaemon::kill() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
}

} // namespace egb::test
