// SPDX-License-Identifier: Apache-2.0
#include "host/privileges.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace egb::host {

namespace {

struct Privilege {
    std::string_view name;
    unsigned number;
};

/// All that any kind needs. libcap knows the others; nine names are no reason for a library.
constexpr std::array<Privilege, 9> privileges{{
    {"CAP_BPF", CAP_BPF},
    {"CAP_CHOWN", CAP_CHOWN},
    {"CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE},
    {"CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH},
    {"CAP_FOWNER", CAP_FOWNER},
    {"CAP_KILL", CAP_KILL},
    {"CAP_PERFMON", CAP_PERFMON},
    {"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
    {"CAP_SYS_PTRACE", CAP_SYS_PTRACE},
}};

using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

Words of_this_thread() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    Words words{};
    // It can only fail for another thread, or another version of the structure.
    static_cast<void>(::syscall(SYS_capget, &header, words.data()));
    return words;
}

bool has(const Words& words, std::string_view name) {
    constexpr unsigned bits = 32;
    const auto* const known = std::ranges::find(privileges, name, &Privilege::name);
    return known != privileges.end() &&
           (words.at(known->number / bits).effective >> (known->number % bits) & 1U) != 0;
}

} // namespace

std::vector<std::string_view> missing_privileges(std::span<const std::string_view> wanted) {
    const Words words = of_this_thread();
    std::vector<std::string_view> missing;
    std::ranges::copy_if(wanted, std::back_inserter(missing), [&words](std::string_view name) {
        return !has(words, name);
    });
    return missing;
}

} // namespace egb::host
