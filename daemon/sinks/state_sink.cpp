// SPDX-License-Identifier: Apache-2.0
#include "sinks/state_sink.hpp"

#include "engine/render.hpp"

namespace egb::sinks {

void StateSink::record(const Incident& incident) {
    db_.append(incident, engine::to_json(incident, clock_));
}

void StateSink::flush() {
    db_.flush();
}

} // namespace egb::sinks
