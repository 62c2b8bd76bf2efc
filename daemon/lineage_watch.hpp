// SPDX-License-Identifier: Apache-2.0
// The lineage of processes at work: its events come in, what it has missed is put right, and its canary is
// listened for. Owned by the daemon, runs on its loop.
#pragma once

#include "core/clock.hpp"
#include "host/bpf_lineage.hpp"
#include "loop/event_loop.hpp"
#include "pulse.hpp"

#include <functional>

namespace egb {

class LineageWatch {
public:
    /// Told when listeners have been.
    using OnNews = std::function<void()>;

    LineageWatch(host::BpfLineage& lineage, const Clock& clock, loop::EventLoop& loop, OnNews on_news);

    /// Where it cannot be had, the kinds that need it say so.
    void start();

    [[nodiscard]] bool beat();

private:
    void on_events();
    void reconcile();

    host::BpfLineage& lineage_;
    const Clock& clock_;
    loop::EventLoop& loop_;
    OnNews on_news_;
    Pulse pulse_;
    bool owed_{}; ///< a reconciliation
    loop::EventSource events_;
    loop::EventSource timer_;
};

} // namespace egb
