// SPDX-License-Identifier: Apache-2.0
// Incidents as typed journal entries, which journalctl can filter by field and explain from the catalog.
// A flood becomes a trickle: 50 entries per kind, incident and second are written singly; one more, at the
// end of that second, stands for the rest and names whose they are. What the daemon has done is told at the
// end of its batch, and the entry that stands for many acts lists each of them: journald would drop what is
// too much for it. Owned by the daemon, runs on its loop.
#pragma once

#include "core/clock.hpp"
#include "engine/sink.hpp"
#include "loop/event_loop.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egb::sinks {

/// The fields of one entry, each as NAME=value.
using JournalEntry = std::vector<std::string>;

[[nodiscard]] JournalEntry journal_entry(const Incident& incident, const Clock& clock);

/// Hands an entry to journald. Where there is none, it goes nowhere.
void send_to_journal(std::span<const std::string> entry);

class JournalSink final : public engine::Sink {
public:
    using Send = std::function<void(std::span<const std::string>)>;

    /// The loop and the clock must outlive it.
    JournalSink(loop::EventLoop& loop, const Clock& clock, Send send = send_to_journal);

    void record(const Incident& incident) override;
    void flush() override;
    /// No act without a trace, should the daemon die in the midst of many.
    [[nodiscard]] bool prompt() const override { return true; }

private:
    /// What one second has of one kind and incident.
    struct Tally {
        Instant end;
        int priority{};
        std::uint64_t single{};
        std::uint64_t more{};
        std::map<std::string, std::uint64_t, std::less<>> more_by_holder;
        std::string acts; ///< of those that `more` counts, a line each
    };
    using Subject = std::pair<std::string_view, std::string_view>; ///< kind, incident; both are literals

    void count(Tally& tally, const Incident& incident);
    void close_ended(Instant now);
    void tell_rest(const Subject& subject, Tally& tally);
    void arm();
    [[nodiscard]] static JournalEntry summary(const Subject& subject, const Tally& tally);

    loop::EventLoop& loop_;
    const Clock& clock_;
    Send send_;
    std::map<Subject, Tally> windows_;
    loop::EventSource timer_;
};

} // namespace egb::sinks
