// SPDX-License-Identifier: Apache-2.0
#include "kinds/tcp/tcp.hpp"

#include "kinds/tcp/evidence.hpp"
#include "kinds/tcp/options.hpp"
#include "kinds/tcp/tcp_kind.hpp"

#include "host/bpf_events.hpp"
#include "tcp.skel.h"

#include <array>

namespace egb::tcp {

namespace {

host::BpfImage image() {
    std::size_t size = 0;
    const void* elf = tcp_bpf__elf_bytes(&size);
    return {.name = "tcp",
            .layout = EGB_TCP_LAYOUT,
            .elf = std::span{static_cast<const std::byte*>(elf), size},
            .optional = TcpKind::optional_programs(),
            .suspendable = TcpKind::suspendable_programs()};
}

} // namespace

const KindInfo& info() {
    static constexpr std::array<std::string_view, 5> capabilities{"CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN",
                                                                  "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"};
    static constexpr KindInfo info{
        .name = "tcp",
        .summary = "TCP sockets that wait for an application which has forgotten them",
        .reach = Reach::cleans,
        .options = options,
        .evidence = evidence_rules,
        .capabilities = capabilities,
        .question = "its peer is asked by a keepalive probe",
    };
    return info;
}

KindPtr make(const host::Surroundings& surroundings) {
    return std::make_unique<TcpKind>(surroundings, kernel_events(surroundings.fd_store));
}

std::unique_ptr<host::EventSource> kernel_events(host::FdStore& store) {
    return std::make_unique<host::BpfEvents>(image(), store);
}

} // namespace egb::tcp
