// SPDX-License-Identifier: Apache-2.0
#include "host/container.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

namespace egb::host {

namespace {

constexpr const char* socket_of_systemd = "/run/systemd/notify";

/// Where the machine's configuration and its units are looked for.
constexpr std::array folders_that_are_read{"etc",
                                           "etc/eghostbuster",
                                           "etc/eghostbuster/eghostbuster.conf.d",
                                           "etc/eghostbuster/lockfile",
                                           "etc/systemd",
                                           "etc/systemd/system",
                                           "run/systemd/system",
                                           "usr/lib/systemd/system"};

} // namespace

std::filesystem::path root_of_machine() {
    return "/proc/1/root";
}

Result<> links_stay_within(const std::filesystem::path& root) {
    for (const char* folder : folders_that_are_read) {
        std::error_code is_no_link;
        const auto target = std::filesystem::read_symlink(root / folder, is_no_link);
        if (!is_no_link && target.is_absolute()) {
            return fail(ErrorCode::unsupported,
                        "/{} of this machine is a link to {}, which leads elsewhere in a container: what it "
                        "says of us cannot be read",
                        folder, target.string());
        }
    }
    return {};
}

void speak_to_systemd_directly() {
    ::setenv("NOTIFY_SOCKET", socket_of_systemd, 1);
    const char* meant = std::getenv("LISTEN_PID");
    if (meant != nullptr && std::string_view{meant} == "1") {
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    }
}

} // namespace egb::host
