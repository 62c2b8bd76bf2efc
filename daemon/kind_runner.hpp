// SPDX-License-Identifier: Apache-2.0
// One kind at work. Its events come in, its sweeps are made when they are due or owed, what it has lost is
// put right, and its canary is listened for. Owned by the daemon, runs on its loop; a sweep takes as long as
// the kind takes, and failing ones are made ever more rarely.
#pragma once

#include "bus/control.hpp"
#include "core/clock.hpp"
#include "core/kind.hpp"
#include "engine/pipeline.hpp"
#include "loop/event_loop.hpp"
#include "pulse.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egb {

class KindRunner {
public:
    /// Told when the tracker has been given something: the pipeline should be ticked.
    using OnNews = std::function<void()>;

    /// The kind begins as `section` has it.
    KindRunner(KindPtr kind, OptionValues section, const Clock& clock, loop::EventLoop& loop,
               engine::Pipeline& pipeline, OnNews on_news);

    /// When it is enabled: starts the kind, and sweeps once. What fails is trouble(), and nobody else's. A
    /// kind that does not run lets go of what it has remembered.
    void start();

    /// The daemon ends in order.
    void let_go() { kind_->let_go(); }

    /// Takes another section of the configuration; a running kind sweeps soon, to judge by it.
    void configure(const OptionValues& section);

    /// Unsupported when the kind does not run. A failure is noted here, and made good later.
    Result<> sweep(SweepReason reason);

    /// A sweep, when the tracker waits for one by now.
    void sweep_if_due();

    /// Hears what waits by now, for whoever asks about something that has just happened.
    void catch_up();

    /// To be called after the pipeline's tick: a kind is whole again when its sweep is done, to the last
    /// piece, and what it found has been judged.
    void settle_health();

    /// Once per beat of the watchdog: false when the kernel path is dead, because the canary sent at the last
    /// beat has not come back.
    [[nodiscard]] bool beat();

    [[nodiscard]] bool running() const { return state_ == State::running; }
    /// Sweeps fail for now, so that what is due may stay so for a while.
    [[nodiscard]] bool struggling() const { return !sweep_failure_.empty(); }
    /// Why it does not run, or only reports for now; empty when all is well.
    [[nodiscard]] std::string trouble() const;
    /// The same in a word or two, for the status line.
    [[nodiscard]] std::string_view condition() const;

    [[nodiscard]] const KindInfo& info() const { return kind_->info(); }
    [[nodiscard]] Kind& kind() { return *kind_; }
    [[nodiscard]] const Kind& kind() const { return *kind_; }

    /// All but the counts of ghosts, which the ledger has.
    [[nodiscard]] bus::KindStatus status() const;

private:
    enum class State : std::uint8_t { waiting, disabled, broken, running };

    [[nodiscard]] bool has_waiting() const;
    void on_events();
    void note_losses();
    void owe_sweep(SweepReason reason, Instant at);
    void pay_sweep(SweepReason reason);
    void sweep_failed(SweepReason reason, const Error& error);

    KindPtr kind_;
    OptionValues section_;
    const Clock& clock_;
    loop::EventLoop& loop_;
    engine::Pipeline& pipeline_;
    OnNews on_news_;

    State state_{State::waiting};
    std::string failure_;       ///< why it is broken, or deaf
    std::string sweep_failure_; ///< of the last sweep; empty when it succeeded
    unsigned failed_sweeps_{};  ///< in a row
    bool lossy_{};
    bool reconciled_{}; ///< a whole sweep was made, and waits to be judged
    std::uint64_t lost_{};

    std::optional<SweepReason> owed_;
    Instant next_sweep_; ///< no sweep of our own accord before
    Instant next_timed_sweep_;
    Instant swept_; ///< the end of the last whole one
    WallTime last_sweep_;
    Span last_sweep_took_{};

    Pulse pulse_;

    loop::EventSource events_;
    loop::EventSource sweep_timer_;
};

/// All kinds of this daemon, in the order of the catalog.
class KindRunners {
public:
    using Runners = std::vector<std::unique_ptr<KindRunner>>;

    KindRunner& add(std::unique_ptr<KindRunner> runner) { return *runners_.emplace_back(std::move(runner)); }

    /// nullptr when there is no such kind.
    [[nodiscard]] KindRunner* find(std::string_view kind) const;

    [[nodiscard]] Runners::const_iterator begin() const { return runners_.begin(); }
    [[nodiscard]] Runners::const_iterator end() const { return runners_.end(); }

private:
    Runners runners_;
};

} // namespace egb
