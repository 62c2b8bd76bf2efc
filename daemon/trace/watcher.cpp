// SPDX-License-Identifier: Apache-2.0
#include "trace/watcher.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace egb::trace {

namespace {

/// More than a filter has, so that one that is too long is seen to be.
constexpr std::size_t longest_line = longest_filter + 1;

} // namespace

bool Watcher::receive() {
    std::array<char, longest_line> block{};
    const ssize_t got = ::recv(fd(), block.data(), block.size(), MSG_DONTWAIT);
    if (got < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    }
    in_.append(block.data(), static_cast<std::size_t>(got));
    return got > 0;
}

Watcher::Heard Watcher::hear() {
    if (!receive()) {
        return {.there = false, .line = {}};
    }
    const auto last = in_.rfind('\n');
    if (last != std::string::npos) {
        return {.there = true, .line = last_line(last)};
    }
    if (in_.size() < longest_line) {
        return {};
    }
    auto line = std::exchange(in_, {});
    return std::exchange(skips_, true) ? Heard{} : Heard{.there = true, .line = std::move(line)};
}

/// The one that ends there. All before it are done with.
std::optional<std::string> Watcher::last_line(std::size_t end) {
    const auto before = end == 0 ? std::string::npos : in_.rfind('\n', end - 1);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    auto line = in_.substr(begin, end - begin);
    in_.erase(0, end + 1);
    const bool rest = std::exchange(skips_, false) && begin == 0;
    return rest ? std::nullopt : std::optional{std::move(line)};
}

Result<Ends> make_ends() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
        return fail_errno("making a socket for a watcher");
    }
    return Ends{.ours = host::Fd{ends[0]}, .theirs = host::Fd{ends[1]}};
}

} // namespace egb::trace
