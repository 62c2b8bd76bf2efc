// SPDX-License-Identifier: Apache-2.0
#include "host/lineage.hpp"

#include "core/format.hpp"

#include <sys/wait.h>

#include <csignal>
#include <cstring>

namespace egb::host {

bool Death::by_signal() const {
    return WIFSIGNALED(wait_status);
}

int Death::signal() const {
    return by_signal() ? WTERMSIG(wait_status) : 0;
}

int Death::exit_status() const {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
}

bool Death::dumped_core() const {
    return by_signal() && WCOREDUMP(wait_status);
}

bool Death::by_itself() const {
    return !by_signal() || signal() == SIGPIPE;
}

std::string to_string(const Death& death) {
    if (!death.by_signal()) {
        return formatted("exited with {}", death.exit_status());
    }
    const char* const name = ::sigabbrev_np(death.signal());
    const auto signal = name != nullptr ? formatted("SIG{}", name) : formatted("signal {}", death.signal());
    return formatted("killed by {}{}", signal, death.dumped_core() ? " (core dumped)" : "");
}

} // namespace egb::host
