// SPDX-License-Identifier: Apache-2.0
#include "host/holder_scan.hpp"

#include "host/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace egb::host {

/// Our pid may be another in the /proc that we read: whoever holds a pipe that is ours alone is us.
Result<ProcessIdentity> HolderScan::ourselves() {
    if (ourselves_) {
        return *ourselves_;
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) {
        return fail_errno("pipe2");
    }
    const Fd read_end{ends[0]};
    const Fd write_end{ends[1]};
    const auto holders = find(read_end.get());
    if (!holders) {
        return std::unexpected(holders.error());
    }
    if (holders->empty()) {
        return fail(ErrorCode::io, "the daemon does not find itself among the holders of its own pipe");
    }
    ourselves_ = holders->front().process->id;
    return *ourselves_;
}

Result<std::vector<Holder>> HolderScan::find_without(IsMeant is_meant, int fd) {
    auto holders = find(fd);
    const auto us = holders ? ourselves() : std::unexpected(holders.error());
    if (!us) {
        return std::unexpected(us.error());
    }
    std::erase_if(*holders, [&](const Holder& holder) {
        return holder.process->id == *us && is_meant(holder, fd);
    });
    return holders;
}

Result<std::vector<Holder>> HolderScan::others(int fd) {
    return find_without(
        [](const Holder& ours, int asked) {
            return ours.fd == asked;
        },
        fd);
}

Result<std::vector<Holder>> HolderScan::outsiders(int fd) {
    return find_without(
        [](const Holder& /*ours*/, int /*asked*/) {
            return true;
        },
        fd);
}

} // namespace egb::host
