// SPDX-License-Identifier: Apache-2.0
#include "kinds/process/process.hpp"

#include "kinds/process/evidence.hpp"
#include "kinds/process/options.hpp"
#include "kinds/process/process_kind.hpp"

#include <array>

namespace egb::process {

const KindInfo& info() {
    static constexpr std::array<std::string_view, 4> capabilities{"CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE",
                                                                  "CAP_KILL"};
    static constexpr KindInfo info{
        .name = "process",
        .summary = "Processes that have died and that their parent does not wait for (zombies)",
        .reach = Reach::cleans,
        .options = options,
        .evidence = evidence_rules,
        .capabilities = capabilities,
        .question = "its parent is told again by SIGCHLD, as the kernel told it when they died",
    };
    return info;
}

KindPtr make(const host::Surroundings& surroundings) {
    return std::make_unique<ProcessKind>(surroundings);
}

} // namespace egb::process
