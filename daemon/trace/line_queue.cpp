// SPDX-License-Identifier: Apache-2.0
#include "trace/line_queue.hpp"

#include "trace/json_line.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace egb::trace {

std::string LineQueue::account_of_losses() const {
    std::string account;
    if (lost_ > 0) {
        JsonLine line;
        line.text("event", "lost");
        line.number("count", lost_);
        account += std::move(line).finish();
    }
    if (lost_in_kernel_ > 0) {
        JsonLine line;
        line.text("event", "lost");
        line.number("count", lost_in_kernel_);
        line.text("where", "kernel");
        account += std::move(line).finish();
    }
    return account;
}

/// Only when what comes behind fits as well, or each event of a flood would have a line of losses before it.
bool LineQueue::tell_losses(std::size_t bytes_behind) {
    const auto account = account_of_losses();
    if (!has_room(account.size() + bytes_behind)) {
        return false;
    }
    text_ += account;
    lost_ = 0;
    lost_in_kernel_ = 0;
    return true;
}

void LineQueue::add(std::string_view line) {
    if (tell_losses(line.size())) {
        text_ += line;
    } else {
        ++lost_;
    }
}

void LineQueue::answer(std::string_view line) {
    if (waiting() + line.size() <= most_ + room_for_answers) {
        text_ += line;
    }
}

LineQueue::Flow LineQueue::flush(int socket) {
    // A flood that has ended is told of when the reader has caught up, though no event comes behind it.
    if (empty()) {
        static_cast<void>(tell_losses(0));
    }
    while (!empty()) {
        const ssize_t sent =
            ::send(socket, text_.data() + taken_, text_.size() - taken_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            taken_ += static_cast<std::size_t>(sent);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            text_.erase(0, std::exchange(taken_, 0));
            return Flow::blocked;
        } else if (errno != EINTR) {
            return Flow::gone;
        }
        if (empty() && (lost_ > 0 || lost_in_kernel_ > 0)) {
            text_.clear();
            taken_ = 0;
            static_cast<void>(tell_losses(0));
        }
    }
    text_.clear();
    taken_ = 0;
    return Flow::done;
}

} // namespace egb::trace
