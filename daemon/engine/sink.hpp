// SPDX-License-Identifier: Apache-2.0
// Where incidents go: the journal, the bus, the state database, metrics. Runs on the loop; must not block.
#pragma once

#include "core/incident.hpp"

namespace egb::engine {

class Sink {
public:
    virtual ~Sink() = default;

    virtual void record(const Incident& incident) = 0;

    /// The end of a batch: what belongs together can be written together.
    virtual void flush() {}

    /// Told of what happens before anything else does. The others may be told after an act of many.
    [[nodiscard]] virtual bool prompt() const { return false; }
};

/// Where ghost ids come from: never the same one twice, not after a crash either.
class IdSource {
public:
    virtual ~IdSource() = default;
    [[nodiscard]] virtual GhostId next() = 0;
};

} // namespace egb::engine
