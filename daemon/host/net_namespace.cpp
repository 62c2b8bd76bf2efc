// SPDX-License-Identifier: Apache-2.0
#include "host/net_namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <exception>

namespace egb::host {

namespace {

class WayBack {
public:
    WayBack() : home_{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)} {}
    WayBack(const WayBack&) = delete;
    WayBack& operator=(const WayBack&) = delete;
    ~WayBack() {
        if (away_ && ::setns(home_.get(), CLONE_NEWNET) != 0) {
            std::terminate();
        }
    }

    [[nodiscard]] Result<> leave_for(const Fd& target) {
        if (!home_) {
            return fail_errno("opening our own network namespace");
        }
        if (::setns(target.get(), CLONE_NEWNET) != 0) {
            return fail_errno("entering a network namespace");
        }
        away_ = true;
        return {};
    }

private:
    Fd home_;
    bool away_{};
};

} // namespace

/// NAT stands on connection tracking; IPVS does without. Both show in /proc/sys/net of every network
/// namespace, once they are loaded.
bool translates_addresses() {
    const auto exists = [](const char* path) {
        return ::access(path, F_OK) == 0 || errno != ENOENT;
    };
    return exists("/proc/sys/net/netfilter/nf_conntrack_max") || exists("/proc/sys/net/ipv4/vs");
}

Result<> in_net_namespace(const Fd& target, const std::function<Result<>()>& work) {
    WayBack way_back;
    if (auto left = way_back.leave_for(target); !left) {
        return left;
    }
    return work();
}

} // namespace egb::host
