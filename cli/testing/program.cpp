// SPDX-License-Identifier: Apache-2.0
#include "testing/program.hpp"

#include "core/format.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <iterator>
#include <poll.h>
#include <pty.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace egb::test {

namespace {

using std::chrono::steady_clock;

/// The same strings as the pointers that exec wants.
class Pointers {
public:
    explicit Pointers(std::vector<std::string> texts) : texts_{std::move(texts)} {
        std::ranges::transform(texts_, std::back_inserter(pointers_), [](std::string& text) {
            return text.data();
        });
        pointers_.push_back(nullptr);
    }
    char** data() { return pointers_.data(); }

private:
    std::vector<std::string> texts_;
    std::vector<char*> pointers_;
};

std::vector<std::string> assignments(const Environment& environment) {
    std::vector<std::string> texts;
    for (const auto& [name, value] : environment) {
        texts.push_back(formatted("{}={}", name, value));
    }
    return texts;
}

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error{"no pipe"};
    }
    return ends;
}

void close_fd(int& fd) {
    if (fd >= 0) {
        close(fd);
        fd = -1;
    }
}

int left_until(steady_clock::time_point end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - steady_clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
}

/// Appends what there is; false at the end. The far end of a terminal ends with EIO.
bool append_from(int fd, std::string& text) {
    std::array<char, 4096> buffer{};
    const auto count = read(fd, buffer.data(), buffer.size());
    if (count <= 0) {
        return false;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
}

/// The descriptors that become 0, 1 and 2.
struct StandardFds {
    int in, out, err;
};

pid_t spawn(const Arguments& arguments, const Environment& environment, const StandardFds& fds) {
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds.in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fds.out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fds.err, STDERR_FILENO);
    Pointers argument_pointers{arguments};
    Pointers environment_pointers{assignments(environment)};
    pid_t pid{-1};
    const int error =
        posix_spawnp(&pid, arguments.front().c_str(), &actions, nullptr, argument_pointers.data(),
                     environment.empty() ? environ : environment_pointers.data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::runtime_error{arguments.front() + " cannot be started"};
    }
    return pid;
}

} // namespace

Program::Program(const Arguments& arguments, const Environment& environment, Place place) {
    if (place == Place::terminal) {
        int far{-1};
        const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
        if (openpty(&out_, &far, nullptr, nullptr, &size) != 0) {
            throw std::runtime_error{"no terminal"};
        }
        fcntl(out_, F_SETFD, FD_CLOEXEC);
        fcntl(far, F_SETFD, FD_CLOEXEC);
        in_ = fcntl(out_, F_DUPFD_CLOEXEC, 0);
        pid_ = spawn(arguments, environment, {.in = far, .out = far, .err = far});
        close(far);
        return;
    }
    auto in = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    pid_ = spawn(arguments, environment, {.in = in[0], .out = out[1], .err = err[1]});
    close(in[0]);
    close(out[1]);
    close(err[1]);
    in_ = in[1];
    out_ = out[0];
    err_ = err[0];
}

Program::~Program() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close_fd(in_);
    close_fd(out_);
    close_fd(err_);
}

bool Program::read_some() {
    std::array<pollfd, 2> ready{pollfd{.fd = out_, .events = POLLIN, .revents = 0},
                                pollfd{.fd = err_, .events = POLLIN, .revents = 0}};
    if (poll(ready.data(), ready.size(), left_until(steady_clock::now() + deadline)) <= 0) {
        return false;
    }
    if (ready[0].revents != 0 && !append_from(out_, read_)) {
        close_fd(out_);
    }
    if (ready[1].revents != 0 && !append_from(err_, err_read_)) {
        close_fd(err_);
    }
    return out_ >= 0 || err_ >= 0;
}

std::string Program::line() {
    while (!read_.contains('\n') && read_some()) {
    }
    const auto end = std::min(read_.find('\n'), read_.size());
    auto line = read_.substr(0, end);
    read_.erase(0, end + 1);
    return line;
}

bool Program::wait_for(std::string_view text) {
    while (!read_.contains(text) && read_some()) {
    }
    return read_.contains(text);
}

void Program::type(std::string_view text) const {
    if (write(in_, text.data(), text.size()) != std::ssize(text)) {
        throw std::runtime_error{"the program does not read"};
    }
}

void Program::signal(int number) const {
    kill(pid_, number);
}

Ran Program::finish() {
    // On a terminal our two descriptors are one file, and closing this one ends nothing.
    close_fd(in_);
    while (read_some()) {
    }
    int status{};
    const bool ended = out_ < 0 && err_ < 0 && waitpid(pid_, &status, 0) == pid_;
    if (ended) {
        pid_ = -1;
    }
    return {.code = ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .out = std::move(read_),
            .err = std::move(err_read_)};
}

} // namespace egb::test
