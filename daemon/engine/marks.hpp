// SPDX-License-Identifier: Apache-2.0
// What is remembered of ghosts for a time, by kind and key: a ghost that goes and comes again is another to
// the ledger, and must not have shaken off a hold by that. For the loop; each call takes logarithmic time.
#pragma once

#include "core/clock.hpp"
#include "core/ghost.hpp"
#include "core/kind_info.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace egb::engine {

template <typename Value>
class Marks {
public:
    struct Mark {
        Instant until;
        Value value{};
    };

    static constexpr std::size_t most = 100'000;

    /// In place of the ghost's earlier mark. Drops those whose time is over by `now`, and when there are too
    /// many yet, those that would end first.
    void set(const Ghost& ghost, Mark mark, Instant now) {
        set(std::string{ghost.kind->name}, ghost.key, std::move(mark), now);
    }

    void set(std::string kind, std::string key, Mark mark, Instant now) {
        const auto [entry, added] =
            marks_.try_emplace(Name{.kind = std::move(kind), .key = std::move(key)}, mark);
        if (!added) {
            order_.erase({entry->second.until, &entry->first});
            entry->second = mark;
        }
        order_.emplace(mark.until, &entry->first);
        while (!order_.empty() && (order_.begin()->first <= now || order_.size() > most)) {
            const Name* const first = order_.begin()->second;
            order_.erase(order_.begin());
            marks_.erase(marks_.find(*first));
        }
    }

    /// Nothing when there is none, or its time is over.
    [[nodiscard]] const Mark* find(const Ghost& ghost, Instant now) const {
        const auto entry = marks_.find(ghost);
        return entry == marks_.end() || entry->second.until <= now ? nullptr : &entry->second;
    }

    /// The same now. Mostly there is none, and no time is asked for.
    [[nodiscard]] const Mark* find(const Ghost& ghost, const Clock& clock) const {
        const auto entry = marks_.find(ghost);
        return entry == marks_.end() || entry->second.until <= clock.now() ? nullptr : &entry->second;
    }

    [[nodiscard]] std::size_t size() const { return marks_.size(); }

private:
    struct Name {
        std::string kind;
        std::string key;
    };

    struct Before {
        using is_transparent = void;
        using View = std::pair<std::string_view, std::string_view>;

        static View view(const Name& name) { return {name.kind, name.key}; }
        static View view(const Ghost& ghost) { return {ghost.kind->name, ghost.key}; }
        bool operator()(const auto& one, const auto& other) const { return view(one) < view(other); }
    };

    std::map<Name, Mark, Before> marks_;
    std::set<std::pair<Instant, const Name*>> order_; ///< of their ends
};

} // namespace egb::engine
