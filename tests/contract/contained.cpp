// SPDX-License-Identifier: Apache-2.0
#include "contract/contained.hpp"

#include "host/fd.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace egb::test {

namespace {

void write_all(int to, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(to, text.data(), text.size());
        if (written <= 0) {
            ::_exit(1);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string read_all(int from) {
    std::string all;
    std::array<char, 4096> piece{};
    for (ssize_t length = 0; (length = ::read(from, piece.data(), piece.size())) > 0;) {
        all.append(piece.data(), static_cast<std::size_t>(length));
    }
    return all;
}

[[noreturn]] void answer(const std::function<std::string()>& work, int to) {
    try {
        write_all(to, work());
    } catch (const std::exception& error) {
        write_all(to, error.what());
    }
    ::_exit(0);
}

/// In the child: only a child of its own is in the new pid namespace.
[[noreturn]] void contain(const char* where, const std::function<std::string()>& work, int to) {
    if (::unshare(CLONE_NEWNS | CLONE_NEWPID) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", where, "tmpfs", 0, nullptr) != 0) {
        ::_exit(1);
    }
    const pid_t first = ::fork();
    if (first == 0) {
        answer(work, to);
    }
    ::waitpid(first, nullptr, 0);
    write_all(to, "\n" + std::to_string(first));
    ::_exit(0);
}

} // namespace

Contained in_container(const std::filesystem::path& where, const std::function<std::string()>& work) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::system_error{errno, std::generic_category(), "pipe"};
    }
    const host::Fd read_end{ends[0]};
    host::Fd write_end{ends[1]};
    const pid_t child = ::fork();
    if (child == 0) {
        contain(where.c_str(), work, write_end.get());
    }
    write_end.reset();
    const auto text = read_all(read_end.get());
    ::waitpid(child, nullptr, 0);
    const auto last = text.rfind('\n');
    if (last == std::string::npos) {
        throw std::runtime_error{"no container can be made: " + text};
    }
    return {.pid = std::stoi(text.substr(last + 1)), .answer = text.substr(0, last)};
}

} // namespace egb::test
