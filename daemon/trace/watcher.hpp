// SPDX-License-Identifier: Apache-2.0
// Somebody who watches: our end of the socket, what is on its way out, and what has come in. Never blocks.
// Owned by Trace, runs on the loop.
#pragma once

#include "host/fd.hpp"
#include "trace/filter.hpp"
#include "trace/line_queue.hpp"
#include "trace/tracer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace egb::trace {

class Watcher {
public:
    /// What may wait here for a reader that is slow, beside what the socket holds.
    static constexpr std::size_t most_waiting = std::size_t{512} * 1'024;

    Watcher(host::Fd socket, std::uint32_t uid, std::size_t most = most_waiting)
        : socket_{std::move(socket)}, uid_{uid}, out_{most} {}

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] std::uint32_t uid() const { return uid_; }
    [[nodiscard]] LineQueue& out() { return out_; }
    [[nodiscard]] LineQueue::Flow flush() { return out_.flush(fd()); }

    /// What its reader has to say: the last whole line, without its end, since each filter replaces the one
    /// before. Nothing while there is none. A line that is too long is cut.
    struct Heard {
        bool there{true}; ///< somebody is
        std::optional<std::string> line;
    };
    [[nodiscard]] Heard hear();

private:
    [[nodiscard]] bool receive();
    [[nodiscard]] std::optional<std::string> last_line(std::size_t end);

    host::Fd socket_;
    std::uint32_t uid_;
    LineQueue out_;
    std::string in_;
    bool skips_{}; ///< the rest of a line that was too long
};

/// The two ends of a new connection: ours, and the one to give away.
struct Ends {
    host::Fd ours;
    host::Fd theirs;
};
[[nodiscard]] Result<Ends> make_ends();

} // namespace egb::trace
