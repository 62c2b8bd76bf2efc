// SPDX-License-Identifier: Apache-2.0
#include "harness/mount_space.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace egb::test {

namespace {

std::uint64_t inode_of(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

/// In the child: says by one byte that all is made, and waits for the other end to be closed.
[[noreturn]] void live(const std::string& where, const std::string& shown, int said, int end) {
    const bool is_fresh = shown.empty();
    const bool made = ::unshare(CLONE_NEWNS) == 0 &&
                      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                      ::mount(is_fresh ? "tmpfs" : shown.c_str(), where.c_str(), is_fresh ? "tmpfs" : nullptr,
                              is_fresh ? 0 : MS_BIND, nullptr) == 0;
    char byte = 'x';
    if (made && ::write(said, &byte, 1) == 1) {
        [[maybe_unused]] const auto ended = ::read(end, &byte, 1);
    }
    ::_exit(0);
}

} // namespace

MountSpace::MountSpace(const std::filesystem::path& where, const std::filesystem::path& shown) {
    std::array<int, 2> said{};
    std::array<int, 2> end{};
    if (::pipe2(said.data(), O_CLOEXEC) != 0 || ::pipe2(end.data(), O_CLOEXEC) != 0) {
        throw std::system_error{errno, std::generic_category(), "pipe"};
    }
    child_ = ::fork();
    if (child_ == 0) {
        ::close(end[1]);
        live(where.native(), shown.native(), said[1], end[0]);
    }
    ::close(end[0]);
    ::close(said[1]);
    end_.reset(end[1]);
    const host::Fd heard{said[0]};
    char byte{};
    if (::read(heard.get(), &byte, 1) != 1) {
        ::waitpid(child_, nullptr, 0);
        throw std::system_error{EPERM, std::generic_category(), "a mount namespace"};
    }
}

MountSpace::~MountSpace() {
    end_.reset();
    ::waitpid(child_, nullptr, 0);
}

std::uint64_t MountSpace::inode() const {
    return inode_of("/proc/" + std::to_string(child_) + "/ns/mnt");
}

std::filesystem::path MountSpace::seen_from_here(const std::filesystem::path& path) const {
    return "/proc/" + std::to_string(child_) + "/root" + path.native();
}

std::uint64_t own_mount_namespace() {
    return inode_of("/proc/self/ns/mnt");
}

} // namespace egb::test
