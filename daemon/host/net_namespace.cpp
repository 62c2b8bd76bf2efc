// SPDX-License-Identifier: Apache-2.0
#include "host/net_namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <exception>

namespace egb::host {

namespace {

constexpr auto* own_namespace = "/proc/thread-self/ns/net";

class WayBack {
public:
    WayBack() : home_{::open(own_namespace, O_RDONLY | O_CLOEXEC)} {}
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

Result<> in_net_namespace(const Fd& target, const std::function<Result<>()>& work) {
    WayBack way_back;
    if (auto left = way_back.leave_for(target); !left) {
        return left;
    }
    return work();
}

std::uint64_t own_net_namespace() {
    struct stat status{};
    return ::stat(own_namespace, &status) == 0 ? status.st_ino : 0;
}

} // namespace egb::host
