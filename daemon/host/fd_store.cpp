// SPDX-License-Identifier: Apache-2.0
#include "host/fd_store.hpp"

#include "core/format.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

namespace egb::host {

namespace {

struct FreeNames {
    void operator()(char** names) const {
        for (char** name = names; *name != nullptr; ++name) {
            std::free(*name);
        }
        std::free(static_cast<void*>(names));
    }
};

Result<> check_name(std::string_view name) {
    constexpr std::size_t longest = 255;
    const bool good = !name.empty() && name.size() <= longest && std::ranges::all_of(name, [](char c) {
        return c >= ' ' && c < '\x7F' && c != ':';
    });
    return good ? Result<>{}
                : fail(ErrorCode::invalid, "\"{}\" cannot be a name in the descriptor store", name);
}

Result<> tell(const std::string& state, std::span<const int> fds) {
    const int sent =
        ::sd_pid_notify_with_fds(0, 0, state.c_str(), fds.data(), static_cast<unsigned>(fds.size()));
    return sent < 0 ? fail_errno("file descriptor store", -sent) : Result<>{};
}

Result<> remove(std::string_view name) {
    return tell(formatted("FDSTOREREMOVE=1\nFDNAME={}", name), {});
}

} // namespace

SystemdFdStore::SystemdFdStore() {
    char** passed = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &passed);
    const std::unique_ptr<char*, FreeNames> names{passed};
    if (count < 0) {
        throw std::system_error{-count, std::generic_category(), "taking over passed descriptors"};
    }
    for (int at = 0; at < count; ++at) {
        // Of two under one name, the second is closed.
        inherited_.try_emplace(names.get()[at], Fd{SD_LISTEN_FDS_START + at});
    }
}

std::optional<Fd> SystemdFdStore::take(std::string_view name) {
    const auto found = inherited_.find(name);
    if (found == inherited_.end()) {
        return std::nullopt;
    }
    auto fd = std::move(found->second);
    inherited_.erase(found);
    return fd;
}

Result<> SystemdFdStore::keep(std::string_view name, int fd) {
    if (auto good = check_name(name); !good) {
        return good;
    }
    // The store would keep both.
    drop(name);
    // FDPOLL=0, because systemd at once drops what polls as hung up, and BPF maps and links do.
    return tell(formatted("FDSTORE=1\nFDNAME={}\nFDPOLL=0", name), std::array{fd});
}

void SystemdFdStore::drop(std::string_view name) {
    if (const auto found = inherited_.find(name); found != inherited_.end()) {
        inherited_.erase(found);
    }
    if (check_name(name)) {
        // A failure leaves a descriptor too many in the store, for the next process to drop as untaken.
        [[maybe_unused]] const auto removed = remove(name);
    }
}

std::size_t SystemdFdStore::drop_untaken() {
    const auto untaken = std::exchange(inherited_, {});
    for (const auto& [name, fd] : untaken) {
        drop(name);
    }
    return untaken.size();
}

} // namespace egb::host
