// SPDX-License-Identifier: Apache-2.0
#include "host/container.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace egb::host {

namespace {

constexpr const char* socket_of_systemd = "/run/systemd/notify";

} // namespace

std::filesystem::path root_of_machine() {
    return "/proc/1/root";
}

void speak_to_systemd_directly() {
    ::setenv("NOTIFY_SOCKET", socket_of_systemd, 1);
    if (std::getenv("LISTEN_PID") != nullptr) {
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    }
}

} // namespace egb::host
