// SPDX-License-Identifier: Apache-2.0
// The ghosts of this moment, and the only door to the sinks.
#pragma once

#include "core/clock.hpp"
#include "core/incident.hpp"
#include "engine/sink.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace egb::engine {

class Ledger {
public:
    /// The kind's own facts about a ghost, asked for when an incident is written.
    using Describe = std::function<Fields(const Ghost&)>;

    Ledger(const Clock& clock, IdSource& ids, std::vector<Sink*> sinks)
        : clock_{clock}, ids_{ids}, sinks_{std::move(sinks)} {}

    void set_describe(Describe describe) { describe_ = std::move(describe); }

    /// Enters a new ghost (appeared) or a new verdict on a known one (changed, when the grade is another).
    GhostPtr enter(Ghost ghost);

    /// Ends a ghost that went without us. Nothing happens when it is not known.
    void vanish(std::string_view kind, std::string_view key, std::string_view reason);

    void pending(const GhostPtr& ghost, Span until_act);

    /// Tells what came of an act. A ghost that is cleaned or gone leaves the ledger.
    void acted(const GhostPtr& ghost, const Outcome& outcome, std::string_view actor);

    /// The end of a batch, for all sinks.
    void flush();

    [[nodiscard]] GhostPtr find(GhostId id) const;
    [[nodiscard]] GhostPtr find(std::string_view kind, std::string_view key) const;

    /// In the order of ids, so that pages stay put while ghosts come and go.
    [[nodiscard]] const std::map<GhostId, GhostPtr>& ghosts() const { return ghosts_; }

    [[nodiscard]] std::size_t count(std::string_view kind, Grade grade) const;

private:
    void tell(Incident incident);
    void remove(const Ghost& ghost);

    const Clock& clock_;
    IdSource& ids_;
    std::vector<Sink*> sinks_;
    Describe describe_;
    std::map<GhostId, GhostPtr> ghosts_;
    std::map<std::pair<std::string, std::string>, GhostId, std::less<>> ids_by_key_;
};

} // namespace egb::engine
