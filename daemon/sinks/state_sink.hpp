// SPDX-License-Identifier: Apache-2.0
// Incidents as rows of the history. Owned by the daemon, runs on its loop.
#pragma once

#include "core/clock.hpp"
#include "engine/sink.hpp"
#include "state/state_db.hpp"

namespace egb::sinks {

class StateSink final : public engine::Sink {
public:
    StateSink(state::StateDb& db, const Clock& clock) : db_{db}, clock_{clock} {}

    void record(const Incident& incident) override;
    void flush() override;

private:
    state::StateDb& db_;
    const Clock& clock_;
};

} // namespace egb::sinks
