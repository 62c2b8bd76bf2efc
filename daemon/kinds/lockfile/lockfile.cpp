// SPDX-License-Identifier: Apache-2.0
#include "kinds/lockfile/lockfile.hpp"

#include "kinds/lockfile/evidence.hpp"
#include "kinds/lockfile/lock_kind.hpp"
#include "kinds/lockfile/options.hpp"

#include "host/bpf_events.hpp"
#include "lockfile.skel.h"

#include <array>

namespace egb::lockfile {

namespace {

host::BpfImage image() {
    std::size_t size = 0;
    const void* elf = lockfile_bpf__elf_bytes(&size);
    return {.name = "lockfile",
            .layout = EGB_LOCK_LAYOUT,
            .elf = std::span{static_cast<const std::byte*>(elf), size}};
}

} // namespace

const KindInfo& info() {
    static constexpr std::array<std::string_view, 7> capabilities{
        "CAP_BPF",          "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH",
        "CAP_DAC_OVERRIDE", "CAP_FOWNER",  "CAP_CHOWN"};
    static constexpr KindInfo info{
        .name = "lockfile",
        .summary = "Lock files whose owners have died and left them behind",
        .reach = Reach::cleans,
        .options = options,
        .evidence = evidence_rules,
        .capabilities = capabilities,
        .bond = "made by",
    };
    return info;
}

KindPtr make(const host::Surroundings& surroundings) {
    return std::make_unique<LockKind>(surroundings,
                                      std::make_unique<host::BpfEvents>(image(), surroundings.fd_store));
}

} // namespace egb::lockfile
