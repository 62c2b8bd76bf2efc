// SPDX-License-Identifier: Apache-2.0
// The ghosts of this moment, and the only door to the sinks. Runs on the loop.
#pragma once

#include "core/clock.hpp"
#include "core/incident.hpp"
#include "engine/sink.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace egb::engine {

class Ledger {
public:
    /// The kind's own facts about a ghost at this moment; put into words when an incident is told.
    using Describe = std::function<Facts(const Ghost&)>;

    Ledger(const Clock& clock, IdSource& ids, std::vector<Sink*> sinks)
        : clock_{clock}, ids_{ids}, sinks_{std::move(sinks)} {}

    void set_describe(Describe describe) { describe_ = std::move(describe); }

    /// How a new ghost comes in.
    enum class Entrance : std::uint8_t { told, hidden };

    /// Enters a new ghost (appeared) or a new verdict on a known one (changed, when the grade is another).
    /// Says which ghost that is now: the id of a known one stays.
    GhostPtr enter(Ghost ghost, Entrance entrance = Entrance::told);

    /// For a new ghost that is acted upon before it is entered: acted() tells of it, and enters it where it
    /// is still there.
    [[nodiscard]] GhostPtr give_id(Ghost ghost);

    /// So many of a kind come in now.
    void make_room(std::string_view kind, std::size_t ghosts);

    /// Ends a ghost that went without us, and hands it back. Nothing happens when it is not known.
    GhostPtr vanish(std::string_view kind, std::string_view key, std::string_view reason);

    void pending(const GhostPtr& ghost, Action action, Span until_act);

    /// Tells what came of an act. A ghost that is cleaned or gone leaves the ledger.
    void acted(const GhostPtr& ghost, const Outcome& outcome, std::string_view actor);

    /// A hidden ghost is not counted, and nothing but acts on it is told. show() tells that it has appeared
    /// again. Nothing happens when it is so already, or when there is no such ghost.
    void hide(GhostId id);
    void show(GhostId id);
    [[nodiscard]] bool hidden(GhostId id) const { return hidden_.contains(id); }

    /// What happens from now on is kept, and told by flush(), but to prompt sinks: an act of many does not
    /// wait for the others.
    void postpone() { postponing_ = true; }

    /// The end of a batch, for all sinks: tells so much of what was kept, in the order in which it happened.
    void flush(std::size_t most = std::numeric_limits<std::size_t>::max());

    /// So many are kept.
    [[nodiscard]] std::size_t untold() const { return untold_.size(); }

    /// Something is kept, or was told since the last flush.
    [[nodiscard]] bool unflushed() const { return unflushed_; }

    [[nodiscard]] GhostPtr find(GhostId id) const;
    [[nodiscard]] GhostPtr find(std::string_view kind, std::string_view key) const;

    /// In the order of ids, so that pages stay put while ghosts come and go. Hidden ones are among them.
    [[nodiscard]] const std::map<GhostId, GhostPtr>& ghosts() const { return ghosts_; }

    /// Without the hidden ones.
    [[nodiscard]] std::size_t count(std::string_view kind, Grade grade) const;

private:
    /// Ghosts of one kind are told apart by their keys, and the key is in the ghost.
    struct Key {
        static std::string_view of(const GhostPtr& ghost) { return ghost->key; }
        static std::string_view of(std::string_view key) { return key; }
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const auto& one) const { return std::hash<std::string_view>{}(Key::of(one)); }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const auto& one, const auto& other) const { return Key::of(one) == Key::of(other); }
    };

    /// What belongs to one kind.
    struct Shelf {
        std::unordered_set<GhostPtr, Hash, Equal> ghosts;
        std::array<std::size_t, 2> counts{}; ///< by grade, without the hidden ones
    };

    GhostPtr replace(const GhostPtr& before, Ghost ghost);
    void add(const GhostPtr& ghost);
    void tell(Incident incident);
    void record(const Incident& incident, bool prompt);
    void remove(GhostId id);
    [[nodiscard]] std::size_t& counter(const Ghost& ghost);

    const Clock& clock_;
    IdSource& ids_;
    std::vector<Sink*> sinks_;
    Describe describe_;
    std::map<GhostId, GhostPtr> ghosts_;
    std::map<std::string, Shelf, std::less<>> shelves_;
    std::unordered_set<GhostId> hidden_;
    std::deque<Incident> untold_;
    bool postponing_{};
    bool unflushed_{};
};

} // namespace egb::engine
